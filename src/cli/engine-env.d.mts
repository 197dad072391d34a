export const engineEnv: Readonly<Record<string, string>>;
