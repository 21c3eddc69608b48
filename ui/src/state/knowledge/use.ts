// How an article fares: what its cards were made of, week by week.
import type { ArticleUse, DayUse } from '../../api/knowledge-types.ts';

export interface Week {
  /** Its Monday. */
  from: string;
  offered: number;
  /** Accepted as it stands or edited. */
  used: number;
  dismissed: number;
}

export interface UseSums {
  offered: number;
  used: number;
  dismissed: number;
}

export const WEEKS = 12;
const DAY_MS = 86_400_000;

/** The last twelve weeks up to the one of `today`; those in which nothing happened are there, too. */
export function weeksOf(use: ArticleUse, today: string): Week[] {
  const last = monday(today);
  const weeks: Week[] = [];
  for (let i = WEEKS - 1; i >= 0; i -= 1) {
    const from = new Date(last - i * 7 * DAY_MS).toISOString().slice(0, 10);
    weeks.push({ from, offered: 0, used: 0, dismissed: 0 });
  }
  for (const day of use.days) {
    const from = new Date(monday(day.day)).toISOString().slice(0, 10);
    const week = weeks.find((one) => one.from === from);
    if (week) add(week, day);
  }
  return weeks;
}

export function sums(weeks: Week[]): UseSums {
  const of = (key: keyof UseSums) => weeks.reduce((sum, week) => sum + week[key], 0);
  return { offered: of('offered'), used: of('used'), dismissed: of('dismissed') };
}

/** Heights of 0 to 1 against the highest of all weeks. */
export function heights(weeks: Week[], key: keyof UseSums): number[] {
  const most = Math.max(1, ...weeks.map((week) => week.offered), ...weeks.map((week) => week.used + week.dismissed));
  return weeks.map((week) => week[key] / most);
}

function add(week: Week, day: DayUse): void {
  week.offered += day.offered;
  week.used += day.accepted + day.edited;
  week.dismissed += day.dismissed;
}

function monday(day: string): number {
  const at = Date.parse(day);
  return at - ((new Date(at).getUTCDay() + 6) % 7) * DAY_MS;
}
