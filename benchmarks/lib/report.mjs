// What a section hands back, and how it is printed: Markdown, both on the terminal and in RESULTS.md.

/**
 * @typedef {object} Check
 * @property {string} name
 * @property {number} value
 * @property {number} target
 * @property {'at least' | 'at most'} bound
 * @property {boolean} pass
 *
 * @typedef {object} SectionResult
 * @property {string} title
 * @property {{ columns: string[], rows: (string | number)[][] }[]} tables
 * @property {Check[]} checks
 * @property {string[]} notes
 * @property {object} rounds every single measurement
 */

/** @returns {Check} */
export function atLeast(name, value, target) {
  return { name, value, target, bound: 'at least', pass: value >= target };
}

/** @returns {Check} */
export function atMost(name, value, target) {
  return { name, value, target, bound: 'at most', pass: value <= target };
}

/** @param {SectionResult} section */
export function sectionMarkdown({ title, tables, checks, notes }) {
  const verdicts = checks.map(
    ({ name, value, target, bound, pass }) =>
      `- ${pass ? 'pass' : '**miss**'}: ${name} ${value} (target ${bound} ${target})`,
  );
  const parts = [`## ${title}`, ...tables.map(tableMarkdown), verdicts.join('\n'), notes.join(' ')];
  return `${parts.filter(Boolean).join('\n\n')}\n`;
}

function tableMarkdown({ columns, rows }) {
  const cells = [
    columns,
    ...rows.map((row) => row.map((cell) => (typeof cell === 'number' ? cell.toLocaleString('en') : cell))),
  ];
  const widths = columns.map((_, i) => Math.max(...cells.map((row) => row[i].length)));
  const isNumeric = columns.map((_, i) => rows.some((row) => typeof row[i] === 'number'));
  const pad = (cell, i) => (isNumeric[i] ? cell.padStart(widths[i]) : cell.padEnd(widths[i]));
  const rule = widths.map((width, i) => (isNumeric[i] ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width)));
  const [head, ...body] = cells.map((row) => row.map(pad));
  return [head, rule, ...body].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

/** The head of RESULTS.md. */
export function headMarkdown({ machine, before, after, options }) {
  const moment = ({ at, loadAverage, beside }) =>
    `${at}, load average ${loadAverage.join(' ')}, beside us: ${
      beside.map(({ name, percent }) => `${name} ${percent} %`).join(', ') || 'nothing above 3 % of a core'
    }`;
  return [
    '# Benchmark results',
    '',
    'Written by `npm run bench`. Compare the ratios: all systems of a section are measured in turn, round by round, on the',
    'same machine with the same load generator, so a busy machine slows all of them. A ratio is the median of the ratios of',
    'each round; other figures are medians of the rounds.',
    '',
    `- Machine: ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGb} GB, ${machine.system}`,
    `- Software: Node ${machine.node}, nats-server ${machine.natsServer}`,
    `- Before: ${moment(before)}`,
    `- After: ${moment(after)}`,
    `- Options: ${options.rounds} rounds, ${options.duration} s for each HTTP load`,
    '',
  ].join('\n');
}
