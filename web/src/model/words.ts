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

function format(kind: "time" | "day", zone: string | undefined): Intl.DateTimeFormat {
  const key = `${kind} ${zone ?? ""}`;
  const known = formats.get(key);
  if (known) return known;
  const where = zone === undefined ? {} : { timeZone: zone };
  const made =
    kind === "time"
      ? new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit", ...where })
      : new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", ...where });
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

/** Return a sentence that starts with a capital letter. */
export function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
