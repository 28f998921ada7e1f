// What is being done about a camera that shows nothing, in words.

import { spoken } from "./language";
import type { Help } from "./types";
import { moment } from "./words";

const SAY = spoken(
  {
    reconnect: (time: string) => `Connected anew at ${time} to mend it`,
    back_off: (time: string) => `Connected anew again at ${time}; tried more rarely now`,
    reboot: (time: string) => `Told to reboot at ${time}`,
    alert: (time: string) => `Somebody must look after it, since ${time}`,
  },
  {
    reconnect: (time: string) => `Disambung ulang pukul ${time} untuk memulihkannya`,
    back_off: (time: string) => `Disambung ulang lagi pukul ${time}; kini lebih jarang dicoba`,
    reboot: (time: string) => `Diminta mulai ulang pukul ${time}`,
    alert: (time: string) => `Perlu diperiksa orang, sejak ${time}`,
  },
);

/** Return what was done last, with its time; null where nothing needs to be. `today` is unix seconds by the server's clock. */
export function viewHelp(help: Help | null, today: number): string | null {
  return help === null ? null : SAY[help.step](moment(help.since, today));
}
