import { it } from 'vitest';
import { tell } from '../helpers/sim/tell.ts';

it('smoke', async () => {
  const t = performance.now();
  const bad = new Map<string, number[]>(); const saw = new Map<string, number>();
  if (process.env.S) {
    for (const seed of process.env.S.split(',')) { const s = await tell(Number(seed)); console.log(s.trace.map(x=>x.replaceAll('-0000-4000-8000-000000000000','').replaceAll('11111111-1111-4111-8111-111111111111','V').replace(/^0000/,'lambda 0000')).join('\n'), s.broken); }
    return;
  }
  const from = Number(process.env.F ?? 1);
  for (let seed = from; seed < from + Number(process.env.N ?? 100); seed++) {
    const s = await tell(seed);
    for (const x of s.saw) saw.set(x, (saw.get(x) ?? 0) + 1);
    if (s.broken) { const k = s.broken.replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'ID').slice(0,200); bad.set(k, [...(bad.get(k) ?? []), seed]); }
  }
  console.log(bad, saw, performance.now() - t);
}, 600000);
