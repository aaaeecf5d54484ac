/** The launcher is plain JavaScript; what an agent is started with is read from it. */
declare module '*/cli/lean.js' {
  export const FLAGS: readonly string[];
  export const ENVIRONMENT: Readonly<Record<string, string>>;
}
