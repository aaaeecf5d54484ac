import type { CopyRow, MemoryRow, Row } from './rows.ts';
import { escapeXml, text } from './svg.ts';
import { secondsText, sizeText } from './units.ts';

/**
 * Rows as a picture: for each case one bar for everyone, as long as its median, the longest of the case over the full width. Its
 * colours follow the reader's light or dark mode; it needs no font and no script.
 */
const WIDTH = 900;
const MARGIN = 24;
const LABEL_WIDTH = 250;
const BAR_LEFT = MARGIN + LABEL_WIDTH + 10;
const BAR_MAX = 420;
const LINE = 18;
const BAR = 12;
const CASE_GAP = 16;
const HEAD_HEIGHT = 66;
/** What fits on the line behind it. */
const REASON_CHARACTERS = 90;

const STYLE = `
  text { font: 12px system-ui, sans-serif; fill: #1f2328; }
  .title { font-size: 18px; font-weight: 600; }
  .case { font-size: 13px; font-weight: 600; }
  .soft { fill: #59636e; }
  .ours { font-weight: 600; }
  .page { fill: #ffffff; }
  rect.peer { fill: #8c959f; }
  rect.us { fill: #0969da; }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc; }
    .soft { fill: #9198a1; }
    .page { fill: #0d1117; }
    rect.peer { fill: #656c76; }
    rect.us { fill: #4493f8; }
  }`;

interface Bar {
  readonly label: string;
  readonly value: number;
  readonly valueText: string;
  readonly ours: boolean;
}

const copyBar = (row: CopyRow): Bar => {
  const ours = row.side === 'ours';
  const ratio = row.ratio === null ? '' : ours ? `, ${row.ratio.toFixed(2)} x the best` : '';
  return {
    label: ours ? `volmove, ${row.note ?? ''}` : row.contender,
    value: row.seconds.median,
    valueText: `${secondsText(row.seconds.median)} s${ratio}`,
    ours,
  };
};

const memoryBar = (row: MemoryRow): Bar => ({
  label: `peak RSS, ${row.process}`,
  value: row.peakRssMib,
  valueText: `${row.peakRssMib.toFixed(0)} MiB`,
  ours: true,
});

const drawBar = (bar: Bar, longest: number, y: number): string => {
  const width = Math.max(1, (bar.value / longest) * BAR_MAX).toFixed(1);
  const weight = bar.ours ? 'ours' : '';
  return [
    text(BAR_LEFT - 10, y + BAR - 2, bar.label, weight, 'end'),
    `<rect class="${bar.ours ? 'us' : 'peer'}" x="${BAR_LEFT}" y="${y}" width="${width}" height="${BAR}" rx="2"/>`,
    text(BAR_LEFT + Number(width) + 8, y + BAR - 2, bar.valueText, weight),
  ].join('\n');
};

const caseTitle = (name: string, rows: readonly Row[]): string => {
  const first = rows.find((row) => row.kind !== 'left out');
  if (first?.kind === 'copy') return `${name}, ${sizeText(first.sizeBytes)}`;
  return first?.kind === 'memory' ? `${name}, ${sizeText(first.virtualBytes)}` : name;
};

interface Drawn {
  readonly parts: string[];
  readonly bottom: number;
}

const drawCase = (name: string, rows: readonly Row[], top: number): Drawn => {
  const copies = rows.filter((row) => row.kind === 'copy').toSorted((a, b) => a.seconds.median - b.seconds.median);
  const bars = [...copies.map(copyBar), ...rows.filter((row) => row.kind === 'memory').map(memoryBar)];
  const longest = Math.max(...bars.map(({ value }) => value));
  const parts = [text(MARGIN, top + BAR, caseTitle(name, rows), 'case')];
  let y = top + LINE + 4;
  for (const bar of bars) {
    parts.push(drawBar(bar, longest, y));
    y += LINE;
  }
  for (const row of rows) {
    if (row.kind !== 'left out') continue;
    parts.push(text(BAR_LEFT - 10, y + BAR - 2, row.contender ?? '', 'soft', 'end'));
    parts.push(text(BAR_LEFT, y + BAR - 2, row.reason.slice(0, REASON_CHARACTERS), 'soft'));
    y += LINE;
  }
  return { parts, bottom: y + CASE_GAP };
};

/** `machine` says in a few lines what it was measured on. */
export const chart = (rows: readonly Row[], machine: readonly string[]): string => {
  const cases = Map.groupBy(rows, (row) => row.case);
  const parts: string[] = [];
  let y = HEAD_HEIGHT + machine.length * LINE;
  for (const [name, of] of cases) {
    const drawn = drawCase(name, of, y);
    parts.push(...drawn.parts);
    y = drawn.bottom;
  }
  const title = 'How long a copy takes: volmove and other tools';
  const description = `Medians in seconds, shorter is faster; ${cases.size} cases. ${machine.join('; ')}`;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${y}" viewBox="0 0 ${WIDTH} ${y}" role="img" aria-labelledby="title desc">
<title id="title">${escapeXml(title)}</title>
<desc id="desc">${escapeXml(description)}</desc>
<style>${STYLE}
</style>
<rect class="page" width="${WIDTH}" height="${y}"/>
${text(MARGIN, 32, title, 'title')}
${['Medians; shorter is faster.', ...machine].map((line, i) => text(MARGIN, 52 + i * LINE, line, 'soft')).join('\n')}
${parts.join('\n')}
</svg>
`;
};
