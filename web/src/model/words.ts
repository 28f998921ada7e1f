// Numbers as people read them. Pure: the time zone is an argument, the browser's own when it is left out.

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Return a duration in seconds in the two units that matter: "0.1 s", "42 s", "3 min 5 s", "2 h 4 min", "3 d 1 h". */
export function duration(seconds: number): string {
  const whole = Math.max(0, seconds);
  if (whole < 9.95) return `${whole.toFixed(1)} s`;
  const round = Math.round(whole);
  if (round < MINUTE) return `${round} s`;
  if (round < HOUR) return `${Math.floor(round / MINUTE)} min ${round % MINUTE} s`;
  if (round < DAY) return `${Math.floor(round / HOUR)} h ${Math.floor((round % HOUR) / MINUTE)} min`;
  return `${Math.floor(round / DAY)} d ${Math.floor((round % DAY) / HOUR)} h`;
}

const formats = new Map<string, Intl.DateTimeFormat>();

const SHAPES = {
  time: ["en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" }],
  day: ["en-GB", { day: "numeric", month: "short" }],
  date: ["en-GB", { weekday: "short", day: "numeric", month: "short", year: "numeric" }],
  key: ["en-CA", { year: "numeric", month: "2-digit", day: "2-digit" }], // 2026-11-28, as a date field has it
} as const;

function format(kind: keyof typeof SHAPES, zone: string | undefined): Intl.DateTimeFormat {
  const key = `${kind} ${zone ?? ""}`;
  const known = formats.get(key);
  if (known) return known;
  const where = zone === undefined ? {} : { timeZone: zone };
  const [language, shape] = SHAPES[kind];
  const made = new Intl.DateTimeFormat(language, { ...shape, ...where });
  formats.set(key, made);
  return made;
}

/** Return unix seconds as a 24-hour clock, "14:03:22". */
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
  if (day === dayOf(now, zone)) return "Today";
  if (day === dayOf(now - DAY, zone)) return "Yesterday";
  return format("date", zone).format(unix * 1000);
}

/** Return unix seconds as a date with its time: "28 Nov 2026, 14:03". */
export function dateTime(unix: number, zone?: string): string {
  return `${format("date", zone).format(unix * 1000)}, ${clockTime(unix, zone).slice(0, 5)}`;
}

/** Return how long ago something was, in one unit: "just now", "5 min ago", "3 h ago", "12 d ago". */
export function ago(unix: number, now: number): string {
  const seconds = now - unix;
  if (seconds < MINUTE) return "just now";
  if (seconds < HOUR) return `${Math.floor(seconds / MINUTE)} min ago`;
  if (seconds < DAY) return `${Math.floor(seconds / HOUR)} h ago`;
  return `${Math.floor(seconds / DAY)} d ago`;
}

/** Return a number of things: "1 picture", "1,234 pictures". */
export function count(number: number, one: string, many: string = `${one}s`): string {
  return `${number.toLocaleString("en-GB")} ${number === 1 ? one : many}`;
}

/** Return a moment relative to an action: "−2.4 s", "+0.5 s". */
export function relative(seconds: number): string {
  const rounded = Math.abs(seconds).toFixed(1);
  return `${seconds < 0 && Number(rounded) > 0 ? "−" : "+"}${rounded} s`;
}

/** Return a sentence that starts with a capital letter. */
export function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
