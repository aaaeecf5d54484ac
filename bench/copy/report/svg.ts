/** The little of SVG that a bar chart needs. */
const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

export const escapeXml = (value: string): string => value.replace(/[&<>"]/g, (found) => ENTITIES[found] ?? found);

export const text = (x: number, y: number, value: string, name = '', anchor: 'start' | 'end' = 'start'): string => {
  const named = name === '' ? '' : ` class="${name}"`;
  const anchored = anchor === 'start' ? '' : ' text-anchor="end"';
  return `<text${named} x="${x}" y="${y}"${anchored}>${escapeXml(value)}</text>`;
};
