import { it } from 'vitest';
import { tell } from '../helpers/sim/chaos.ts';
import { ALL_RULES } from '../helpers/sim/world.ts';
it('x', async () => {
  let crash=0, two=0, twoSuccess=0, guestAfter=0;
  for (let seed=1; seed<=400; seed++) {
    const s = await tell(seed, {rules: {...ALL_RULES, seal:false, generations:false}});
    const t = s.trace.join('\n');
    if (t.includes('crash:')) crash++;
    const m = /writes chunk \d to \S+\.2$/m.exec(t);
    if (m) two++;
    if (m && s.saw.has('success')) { twoSuccess++; }
  }
  console.log({crash,two,twoSuccess});
}, 100000);
