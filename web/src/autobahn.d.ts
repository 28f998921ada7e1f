// autobahn.js ships no types; these are for the one module of it that we import.

declare module "autobahn/lib/session.js" {
  export interface Transport {
    onmessage(message: unknown): void;
    send(message: unknown): void;
    close(code?: number, reason?: string): void;
  }

  export interface Deferred {
    promise: Promise<unknown>;
    resolve(value: unknown): void;
    reject(reason: unknown): void;
    notify(part: unknown): void;
  }

  // biome-ignore lint/suspicious/noShadowRestrictedNames: it is its name
  export class Error {
    readonly error: string;
    readonly args: readonly unknown[];
    readonly kwargs: Readonly<Record<string, unknown>>;
  }

  export class Session {
    constructor(
      transport: Transport,
      defer: () => Deferred,
      onchallenge?: undefined,
      onUserError?: (error: unknown) => void,
      onInternalError?: (error: unknown) => void,
    );
    onjoin?: (details: unknown) => void;
    onleave?: (reason: string, details: unknown) => void;
    readonly isOpen: boolean;
    join(realm: string, authmethods: readonly string[]): void;
    leave(reason?: string, message?: string): void;
    call(
      procedure: string,
      args: readonly unknown[],
      kwargs: object,
      options?: { receive_progress: true },
    ): Promise<unknown> & { cancel(options: { mode: "kill" }): void };
    subscribe(
      topic: string,
      handler: (args: readonly unknown[], kwargs: Readonly<Record<string, unknown>>) => void,
    ): Promise<unknown>;
    unsubscribe(subscription: unknown): Promise<unknown>;
  }
}
