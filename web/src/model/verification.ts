// Is this what was recorded? What was found, by whom, and what the badge says of it. "Verified" stands there only when
// everything that can be checked was, and is right.

import { type Crypto, type Fault, hex, type Problem, type RunVerdict } from "./chain";
import type { Picture } from "./film";
import { spoken } from "./language";
import { count, dateTime, relative, whole } from "./words";

/** What became of one picture; "erased": gone, and a signed statement says so; "hidden": not for us to see. */
export type PictureVerdict = "good" | "altered" | "missing" | "erased" | "hidden";

/** Check one picture's bytes against the hash that the record lists. */
export async function checkPicture(
  crypto: Crypto,
  picture: Picture,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<PictureVerdict> {
  return hex(await crypto.sha256(bytes)) === picture.sha256 ? "good" : "altered";
}

export interface ServerVerdict {
  readonly sound: boolean;
  readonly checked: number;
  readonly first: number;
  readonly last: number;
  /** When what vouches for the last record was signed, unix seconds; null where nothing does. */
  readonly signed: number | null;
  readonly problems: readonly string[];
}

/** What is known so far; null is not known yet. */
export interface Findings {
  /** Whether this browser can compute hashes at all: not on plain http:// pages of another machine. */
  readonly able: boolean;
  readonly server: ServerVerdict | null;
  /** Why the server's verdict can't be had. */
  readonly failure: string | null;
  /** Of the piece of the chain that the server gave, computed here. */
  readonly run: RunVerdict | null;
  /** Records, of those whose text the page shows, that the piece doesn't hold, or holds otherwise. */
  readonly contradictions: readonly { readonly sequence: number; readonly field: string }[];
  readonly pictures: ReadonlyMap<number, PictureVerdict>;
  /** Why a picture is missing, in the server's words. */
  readonly reasons: ReadonlyMap<number, string>;
  /** Every picture that the record lists. */
  readonly listed: readonly Picture[];
  readonly moment: number;
  /** Whether the site signs with the key that this browser saw first; null where it saw none before. */
  readonly sameKey: boolean | null;
}

export const NOTHING_FOUND: Findings = {
  able: true,
  server: null,
  failure: null,
  run: null,
  contradictions: [],
  pictures: new Map(),
  reasons: new Map(),
  listed: [],
  moment: 0,
  sameKey: null,
};

export interface Place {
  /** For people: "record 12", "picture 3 of yard at +0.4 s". */
  readonly where: string;
  readonly what: string;
}

export interface Badge {
  readonly tone: "calm" | "busy" | "attention" | "alarm" | "unknown";
  readonly word: string;
  /** Who checked what, one sentence each. */
  readonly said: readonly string[];
  /** What is wrong, and where. */
  readonly places: readonly Place[];
}

const SAY = spoken(
  {
    checking: "Checking…",
    verified: "Verified",
    server: "Verified by the server",
    partly: "Not fully verified",
    alarm: "Not what was recorded",
    here: (what: readonly string[]) => `Checked in this browser: ${what.join(", ")}.`,
    record: "this record",
    chain: (good: number, first: number, last: number) =>
      `the chain of ${count(good, "record")} around it (${whole(first)} to ${whole(last)})`,
    signature: (when: string) => `the site’s signature of ${when}`,
    pictures: (good: number) => count(good, "picture"),
    progress: (done: number, all: number) => `${done} of ${count(all, "picture")} so far`,
    byServer: (checked: number, first: number, last: number, signed: string | null) =>
      `Chain checked by the server: ${count(checked, "record")} (${whole(first)} to ${whole(last)})` +
      `${signed === null ? "" : `, up to what it signed on ${signed}`}.`,
    unable: "This page is not on a secure connection, so the browser can’t compute hashes: only the server checked.",
    part: "You may not see the records around it, so the chain was checked by the server alone.",
    unsupported: "This browser can’t check Ed25519 signatures; the server did.",
    absent: "Nothing signed vouches for this record yet.",
    erasedPictures: (many: number) => `${count(many, "picture")} erased, as a signed statement says.`,
    unasked: (why: string) => `The server’s check of the chain is not known: ${why}`,
    otherKey: "The site signs with another key than this browser saw before.",
    placeRecord: (sequence: number) => `record ${whole(sequence)}`,
    placeRecords: (first: number, last: number) => `records ${whole(first)} to ${whole(last)}`,
    placePicture: (picture: Picture, moment: number) =>
      `picture ${picture.number} of ${picture.camera} at ${relative(picture.received - moment)}`,
    placeServer: "the server’s check",
    contradicted: (field: string) => `the page was told another ${field} than was recorded`,
    alteredPicture: "its bytes are not those that were recorded",
    missingPicture: (why: string | undefined) =>
      `it can’t be had, and nothing signed says why${why ? ` (${why})` : ""}`,
    hiddenPictures: (many: number) =>
      `${count(many, "picture")} not checked here: you may not see what that camera sees.`,
    unnamed: "the server found that something is wrong, and did not say where",
    faults: {
      altered: "its hash is not that of its text: one of the two was changed",
      link: "it does not follow the record before: one of the two was replaced",
      missing: "missing, and nothing signed says why",
      truncated: "cut off: something signed knows of it",
      order: "it does not stand in its place",
      foreign: "its text belongs to another record or another site",
      body: "its text is gone, and nothing signed says why",
      signature: "the signature of what vouches for it is forged, or its text was changed",
      unsigned: "nothing signed vouches for it: it stands after the signed end",
      contradicted: "something signed knows another hash here: it was changed and the hashes were made anew",
    } satisfies Record<Fault, string>,
  },
  {
    checking: "Memeriksa…",
    verified: "Terverifikasi",
    server: "Diverifikasi oleh server",
    partly: "Belum sepenuhnya terverifikasi",
    alarm: "Bukan yang direkam",
    here: (what: readonly string[]) => `Diperiksa di peramban ini: ${what.join(", ")}.`,
    record: "catatan ini",
    chain: (good: number, first: number, last: number) =>
      `rantai ${whole(good)} catatan di sekitarnya (${whole(first)} sampai ${whole(last)})`,
    signature: (when: string) => `tanda tangan situs tanggal ${when}`,
    pictures: (good: number) => `${whole(good)} gambar`,
    progress: (done: number, all: number) => `${whole(done)} dari ${whole(all)} gambar sejauh ini`,
    byServer: (checked: number, first: number, last: number, signed: string | null) =>
      `Rantai diperiksa oleh server: ${whole(checked)} catatan (${whole(first)} sampai ${whole(last)})` +
      `${signed === null ? "" : `, sampai yang ditandatanganinya pada ${signed}`}.`,
    unable:
      "Halaman ini tidak memakai koneksi aman, jadi peramban tidak bisa menghitung hash: hanya server yang memeriksa.",
    part: "Anda tidak boleh melihat catatan di sekitarnya, jadi rantainya hanya diperiksa oleh server.",
    unsupported: "Peramban ini tidak bisa memeriksa tanda tangan Ed25519; server yang memeriksanya.",
    absent: "Belum ada tanda tangan yang menjamin catatan ini.",
    erasedPictures: (many: number) => `${whole(many)} gambar dihapus, menurut pernyataan bertanda tangan.`,
    unasked: (why: string) => `Hasil pemeriksaan rantai oleh server tidak diketahui: ${why}`,
    otherKey: "Situs menandatangani dengan kunci lain dari yang pernah dilihat peramban ini.",
    placeRecord: (sequence: number) => `catatan ${whole(sequence)}`,
    placeRecords: (first: number, last: number) => `catatan ${whole(first)} sampai ${whole(last)}`,
    placePicture: (picture: Picture, moment: number) =>
      `gambar ${picture.number} dari ${picture.camera} pada ${relative(picture.received - moment)}`,
    placeServer: "pemeriksaan server",
    contradicted: (field: string) => `halaman ini diberi tahu ${field} yang lain dari yang direkam`,
    alteredPicture: "isinya bukan yang direkam",
    missingPicture: (why: string | undefined) =>
      `tidak bisa diambil, dan tidak ada pernyataan bertanda tangan tentang sebabnya${why ? ` (${why})` : ""}`,
    hiddenPictures: (many: number) =>
      `${whole(many)} gambar tidak diperiksa di sini: Anda tidak boleh melihat apa yang dilihat kamera itu.`,
    unnamed: "server menemukan ada yang salah, tetapi tidak menyebutkan di mana",
    faults: {
      altered: "hash-nya bukan hash teksnya: salah satunya diubah",
      link: "tidak menyambung dengan catatan sebelumnya: salah satunya diganti",
      missing: "hilang, dan tidak ada pernyataan bertanda tangan tentang sebabnya",
      truncated: "terpotong: ada pernyataan bertanda tangan yang mengenalnya",
      order: "tidak berada di tempatnya",
      foreign: "teksnya milik catatan lain atau situs lain",
      body: "teksnya hilang, dan tidak ada pernyataan bertanda tangan tentang sebabnya",
      signature: "tanda tangan yang menjaminnya palsu, atau teksnya diubah",
      unsigned: "tidak ada tanda tangan yang menjaminnya: letaknya setelah akhir yang ditandatangani",
      contradicted: "pernyataan bertanda tangan menyebut hash lain di sini: catatan diubah dan hash-nya dibuat ulang",
    },
  },
);

function placeOf({ sequence, last }: Problem): string {
  return last > sequence ? SAY.placeRecords(sequence, last) : SAY.placeRecord(sequence);
}

function places(found: Findings): Place[] {
  const { run, server } = found;
  const out: Place[] = (run?.problems ?? []).map((one) => ({ where: placeOf(one), what: SAY.faults[one.fault] }));
  for (const { sequence, field } of found.contradictions)
    out.push({ where: SAY.placeRecord(sequence), what: SAY.contradicted(field) });
  // A picture that can't be had may be an erased one: the server's answer brings what is signed about those.
  const told = server !== null || found.failure !== null;
  for (const picture of found.listed) {
    const verdict = found.pictures.get(picture.number);
    const where = SAY.placePicture(picture, found.moment);
    if (verdict === "altered") out.push({ where, what: SAY.alteredPicture });
    if (verdict === "missing" && told) out.push({ where, what: SAY.missingPicture(found.reasons.get(picture.number)) });
  }
  for (const text of server?.problems ?? []) out.push({ where: SAY.placeServer, what: text });
  if (server?.sound === false && out.length === 0) out.push({ where: SAY.placeServer, what: SAY.unnamed });
  return out;
}

function checkedHere(found: Findings): string[] {
  if (!found.able) return [SAY.unable];
  const { run, pictures, listed } = found;
  const good = [...pictures.values()].filter((verdict) => verdict === "good").length;
  const what: string[] = [];
  if (run?.good && run.whole) what.push(SAY.chain(run.good, run.first, run.last));
  else if (run?.good) what.push(SAY.record);
  if (run?.signature === "good" && run.signed !== null) what.push(SAY.signature(dateTime(run.signed)));
  if (good) what.push(pictures.size < listed.length ? SAY.progress(good, listed.length) : SAY.pictures(good));
  return [
    ...(what.length ? [SAY.here(what)] : []),
    ...(run && !run.whole ? [SAY.part] : []),
    ...(run?.signature === "unsupported" ? [SAY.unsupported] : []),
    ...(run?.signature === "absent" ? [SAY.absent] : []),
    ...(found.sameKey === false ? [SAY.otherKey] : []),
  ];
}

function byServer({ server, run, failure }: Findings): string[] {
  if (failure !== null) return [SAY.unasked(failure)];
  if (server === null) return [];
  // Where the browser did it all there is no need to say that the server did it too.
  if (run?.whole && run.signature === "good") return [];
  const signed = server.signed === null ? null : dateTime(server.signed);
  return [SAY.byServer(server.checked, server.first, server.last, signed)];
}

function isSettled(found: Findings): boolean {
  const seen = !found.able || found.listed.every(({ number }) => found.pictures.has(number));
  return seen && (found.failure !== null || (found.server !== null && (!found.able || found.run !== null)));
}

/** Return what the badge says. */
export function badge(found: Findings): Badge {
  const wrong = places(found);
  const many = (one: PictureVerdict): number =>
    [...found.pictures.values()].filter((verdict) => verdict === one).length;
  const [erased, hidden] = [many("erased"), many("hidden")];
  const said = [
    ...checkedHere(found),
    ...(hidden ? [SAY.hiddenPictures(hidden)] : []),
    ...(erased ? [SAY.erasedPictures(erased)] : []),
    ...byServer(found),
  ];
  if (wrong.length) return { tone: "alarm", word: SAY.alarm, said, places: wrong };
  const view = (tone: Badge["tone"], word: string): Badge => ({ tone, word, said, places: [] });
  if (!isSettled(found)) return view("busy", SAY.checking);
  if (found.server === null || found.server.signed === null || found.sameKey === false)
    return view("attention", SAY.partly);
  if (!found.able) return view("calm", SAY.server);
  const whole = found.run !== null && found.run.good > 0 && found.run.signature !== "absent";
  return whole ? view("calm", SAY.verified) : view("attention", SAY.partly);
}
