// Numbers as people read them, in the language of the page. The time zone is an argument, the browser's own when it is
// left out.

import { LOCALES, language, spoken } from "./language";

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const SAY = spoken(
  {
    second: "s",
    minute: "min",
    hour: "h",
    day: "d",
    now: "just now",
    ago: (time: string) => `${time} ago`,
    today: "Today",
    yesterday: "Yesterday",
  },
  {
    second: "dtk",
    minute: "mnt",
    hour: "jam",
    day: "hari",
    now: "baru saja",
    ago: (time: string) => `${time} lalu`,
    today: "Hari ini",
    yesterday: "Kemarin",
  },
);

/** Return a duration in seconds in the two units that matter: "0.1 s", "42 s", "3 min 5 s", "2 h 4 min", "3 d 1 h". */
export function duration(seconds: number): string {
  const whole = Math.max(0, seconds);
  if (whole < 9.95) return `${decimal(whole, 1)} ${SAY.second}`;
  const round = Math.round(whole);
  if (round < MINUTE) return `${round} ${SAY.second}`;
  const two = (unit: number, one: string, part: number, other: string): string =>
    `${Math.floor(round / unit)} ${one} ${Math.floor((round % unit) / part)} ${other}`;
  if (round < HOUR) return two(MINUTE, SAY.minute, 1, SAY.second);
  if (round < DAY) return two(HOUR, SAY.hour, MINUTE, SAY.minute);
  return two(DAY, SAY.day, HOUR, SAY.hour);
}

const numbers = new Map<string, Intl.NumberFormat>();

/** Return a number with so many digits behind the point, or the comma: "1,234.5", "1.234,5". */
export function decimal(number: number, digits: number): string {
  const key = `${language.value} ${digits}`;
  let format = numbers.get(key);
  if (format === undefined) {
    const shape = { minimumFractionDigits: digits, maximumFractionDigits: digits };
    format = new Intl.NumberFormat(LOCALES[language.value], shape);
    numbers.set(key, format);
  }
  return format.format(number);
}

/** Return seconds with so many digits, and their unit: "22.1 s", "22,1 dtk". */
export function seconds(number: number, digits = 1): string {
  return `${decimal(number, digits)} ${SAY.second}`;
}

/** Return a whole number: "1,234", "1.234". */
export function whole(number: number): string {
  return decimal(number, 0);
}

const formats = new Map<string, Intl.DateTimeFormat>();

const SHAPES = {
  time: { hour: "2-digit", minute: "2-digit", second: "2-digit" },
  minute: { hour: "2-digit", minute: "2-digit" },
  day: { day: "numeric", month: "short" },
  date: { weekday: "short", day: "numeric", month: "short", year: "numeric" },
  key: { year: "numeric", month: "2-digit", day: "2-digit" },
} as const;

function format(kind: keyof typeof SHAPES, zone: string | undefined): Intl.DateTimeFormat {
  // A date field wants 2026-11-28 in every language.
  const locale = kind === "key" ? "en-CA" : LOCALES[language.value];
  const key = `${kind} ${locale} ${zone ?? ""}`;
  const known = formats.get(key);
  if (known) return known;
  const where = zone === undefined ? {} : { timeZone: zone };
  const made = new Intl.DateTimeFormat(locale, { ...SHAPES[kind], ...where });
  formats.set(key, made);
  return made;
}

/** Return unix seconds as a 24-hour clock: "14:03:22", "14.03.22". */
export function clockTime(unix: number, zone?: string): string {
  return format("time", zone).format(Math.floor(unix) * 1000);
}

/** Return unix seconds as a clock, with the day before it when that is not today: "20 Nov 14:03:22". */
export function moment(unix: number, now: number, zone?: string): string {
  const day = format("day", zone);
  const then = day.format(unix * 1000);
  return then === day.format(now * 1000) ? clockTime(unix, zone) : `${then} ${clockTime(unix, zone)}`;
}

/** Return the day of a moment as a date field has it: "2026-11-28". */
export function dayOf(unix: number, zone?: string): string {
  return format("key", zone).format(unix * 1000);
}

/** Return a day as people say it: "Today", "Yesterday", "Sat, 28 Nov 2026". */
export function dayLabel(unix: number, now: number, zone?: string): string {
  const day = dayOf(unix, zone);
  if (day === dayOf(now, zone)) return SAY.today;
  if (day === dayOf(now - DAY, zone)) return SAY.yesterday;
  return format("date", zone).format(unix * 1000);
}

/** Return unix seconds as a date with its time: "28 Nov 2026, 14:03". */
export function dateTime(unix: number, zone?: string): string {
  return `${format("date", zone).format(unix * 1000)}, ${format("minute", zone).format(Math.floor(unix) * 1000)}`;
}

/** Return how long ago something was, in one unit: "just now", "5 min ago", "3 h ago", "12 d ago". */
export function ago(unix: number, now: number): string {
  const seconds = now - unix;
  if (seconds < MINUTE) return SAY.now;
  if (seconds < HOUR) return SAY.ago(`${Math.floor(seconds / MINUTE)} ${SAY.minute}`);
  if (seconds < DAY) return SAY.ago(`${Math.floor(seconds / HOUR)} ${SAY.hour}`);
  return SAY.ago(`${Math.floor(seconds / DAY)} ${SAY.day}`);
}

/** Return a number of things: "1 picture", "1,234 pictures". */
export function count(number: number, one: string, many: string = `${one}s`): string {
  return `${whole(number)} ${number === 1 ? one : many}`;
}

/** Return a moment relative to an action: "−2.4 s", "+0.5 s". */
export function relative(seconds: number): string {
  const tenths = Math.round(Math.abs(seconds) * 10);
  return `${seconds < 0 && tenths > 0 ? "−" : "+"}${decimal(tenths / 10, 1)} ${SAY.second}`;
}

/** Return a sentence that starts with a capital letter. */
export function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
