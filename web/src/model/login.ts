// Logging in: what is typed, what the server made of it, and how long to wait when it was wrong too often.

import { spoken } from "./language";
import { duration } from "./words";

export type Way = "password" | "key";

export interface Login {
  readonly way: Way;
  readonly asking: boolean;
  readonly failure: { readonly code: string; readonly text: string } | null;
  /** When another attempt will be looked at, by our clock; null at once. */
  readonly until: number | null;
}

export const LOGGED_OUT: Login = { way: "password", asking: false, failure: null, until: null };

/** Seconds to wait when the server says "too many" but not for how long. */
const UNSAID_WAIT = 10;

export function switched(state: Login): Login {
  return { ...state, way: state.way === "password" ? "key" : "password", failure: null };
}

/** Return the sentence about what is missing before the server can be asked, or null. */
export function missing(way: Way, name: string, secret: string): string | null {
  if (way === "key") return secret ? null : SAY.noKey;
  if (!name) return SAY.noName;
  return secret ? null : SAY.noPassword;
}

export function incomplete(state: Login, text: string): Login {
  return { ...state, failure: { code: "incomplete", text } };
}

export function asked(state: Login): Login {
  return { ...state, asking: true, failure: null };
}

export function refused(state: Login, code: string, text: string, retryAfter: number | null, now: number): Login {
  const until = code === "too_many_attempts" ? now + (retryAfter ?? UNSAID_WAIT) : null;
  return { ...state, asking: false, failure: { code, text }, until };
}

export interface LoginView {
  readonly failure: string | null;
  readonly mayTry: boolean;
  readonly button: string;
}

const SAY = spoken(
  {
    noKey: "Paste a key first.",
    noName: "Type your name first.",
    noPassword: "Type your password first.",
    wrongPassword: "This name and password don’t belong together.",
    wrongKey: "This key is not valid: it is wrong, has expired, or was revoked.",
    tooMany: (seconds: number) => `Too many wrong attempts. Wait ${duration(seconds)} before the next one.`,
    tryNow: "Too many wrong attempts before. You can try again now.",
    insecure:
      "The server takes no passwords over this connection: it is not encrypted, and comes from another machine. " +
      "Use the server’s https:// address, or this page on the machine itself.",
    away: "The server can’t be reached. Is it running?",
    logIn: "Log in",
    asking: "Logging in…",
    wait: (seconds: number) => `Wait ${Math.ceil(seconds)} s`,
  },
  {
    noKey: "Tempelkan kunci dulu.",
    noName: "Ketik nama Anda dulu.",
    noPassword: "Ketik kata sandi Anda dulu.",
    wrongPassword: "Nama dan kata sandi ini tidak cocok.",
    wrongKey: "Kunci ini tidak berlaku: salah, kedaluwarsa, atau sudah dicabut.",
    tooMany: (seconds: number) =>
      `Terlalu banyak percobaan yang salah. Tunggu ${duration(seconds)} sebelum mencoba lagi.`,
    tryNow: "Tadi terlalu banyak percobaan yang salah. Sekarang Anda boleh mencoba lagi.",
    insecure:
      "Server tidak menerima kata sandi lewat koneksi ini: tidak terenkripsi dan berasal dari komputer lain. " +
      "Pakai alamat https:// server, atau buka halaman ini di komputer server sendiri.",
    away: "Server tidak dapat dihubungi. Apakah sedang berjalan?",
    logIn: "Masuk",
    asking: "Sedang masuk…",
    wait: (seconds: number) => `Tunggu ${Math.ceil(seconds)} dtk`,
  },
);

function sentence({ failure, way }: Login, left: number): string | null {
  switch (failure?.code) {
    case undefined:
      return null;
    case "not_authenticated":
      return way === "key" ? SAY.wrongKey : SAY.wrongPassword;
    case "too_many_attempts":
      return left > 0 ? SAY.tooMany(left) : SAY.tryNow;
    case "insecure":
      return SAY.insecure;
    case "unreachable":
      return SAY.away;
    default:
      return failure?.text ?? null;
  }
}

/** Return what the form shows. */
export function viewLogin(state: Login, now: number): LoginView {
  const left = Math.max(0, (state.until ?? now) - now);
  return {
    failure: sentence(state, left),
    mayTry: !state.asking && left === 0,
    button: state.asking ? SAY.asking : left > 0 ? SAY.wait(left) : SAY.logIn,
  };
}
