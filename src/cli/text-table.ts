/** Text in columns and lines, without colours: paint it afterwards. */

/** @param columns one letter for each: l aligns to the left, r to the right */
export function alignTable(rows: readonly (readonly string[])[], columns: string): string[] {
  const widths = Array.from(columns, (_, i) => Math.max(0, ...rows.map((row) => (row[i] ?? '').length)));
  return rows.map((row) =>
    row
      .map((cell, i) => (columns[i] === 'r' ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}

/** Breaks at spaces; what follows the first line is indented. A word that is too long stays whole. */
export function wrap(text: string, width: number, indent: number): string[] {
  const lines: string[] = [];
  const lead = /^ */.exec(text)?.[0] ?? '';
  let line = lead;
  for (const word of text.slice(lead.length).split(' ')) {
    const isEmpty = line.trim() === '';
    if (!isEmpty && line.length + 1 + word.length > width) {
      lines.push(line);
      line = ' '.repeat(indent) + word;
    } else {
      line += isEmpty ? word : ` ${word}`;
    }
  }
  return line.trim() === '' ? lines : [...lines, line];
}
