import { css, svg, type SVGTemplateResult } from 'lit';

/** One accent: the policy that is claimed has it, the one to beat is drawn in ink, and the rest stand back. */
export const plotStyles = css`
  svg {
    display: block;
    overflow: visible;
    font-variant-numeric: tabular-nums;
  }
  text {
    font-size: 12px;
    fill: var(--ink-2);
  }
  .grid {
    stroke: var(--line);
  }
  .series {
    fill: none;
    stroke: var(--ink-3);
    stroke-width: 1.5;
    color: var(--ink-3);
  }
  .series.baseline {
    stroke: var(--ink);
    color: var(--ink);
    stroke-width: 2;
  }
  .series.claimed {
    stroke: var(--accent);
    color: var(--accent);
    stroke-width: 2.5;
  }
  .series .dot {
    fill: var(--surface);
  }
  .series.claimed .dot {
    fill: var(--accent);
  }
  .name.baseline {
    fill: var(--ink);
    font-weight: var(--weight-bold);
  }
  .name.claimed {
    fill: var(--accent);
    font-weight: var(--weight-bold);
  }
  h2 {
    margin-bottom: var(--s1);
    font-size: var(--text-m);
    font-weight: var(--weight-bold);
  }
  .legend {
    display: flex;
    flex-wrap: wrap;
    gap: var(--s1) var(--s4);
    margin-top: var(--s2);
    font-size: var(--text-s);
    color: var(--ink-2);
  }
  .legend li {
    display: flex;
    align-items: center;
    gap: var(--s2);
  }
`;

/** Policies differ by shape, too: colours alone can't be told apart by everybody, nor in print. */
const dashes: Record<string, string> = { fifo: '2 3', 'round-robin': '8 3', 'longest-idle': '8 3 2 3' };
export const dashOf = (policy: string): string => dashes[policy] ?? 'none';

export function mark(policy: string, x: number, y: number): SVGTemplateResult {
  const at = (points: [number, number][]) => points.map(([dx, dy]) => `${(x + dx).toFixed(1)},${(y + dy).toFixed(1)}`).join(' ');
  switch (policy) {
    case 'fifo': return svg`<polygon class="dot" points=${at([[0, -4.5], [4.5, 3.5], [-4.5, 3.5]])} />`;
    case 'round-robin': return svg`<polygon class="dot" points=${at([[0, -5], [5, 0], [0, 5], [-5, 0]])} />`;
    case 'longest-idle': return svg`<polygon class="dot" points=${at([[-3.5, -3.5], [3.5, -3.5], [3.5, 3.5], [-3.5, 3.5]])} />`;
    default: return svg`<circle class="dot" cx=${x.toFixed(1)} cy=${y.toFixed(1)} r="4" />`;
  }
}
