/** What processes of ours may see of the server's environment: nothing that holds a secret. */
const passedVariables = [
  'PATH',
  'HOME',
  'TMPDIR',
  'XDG_CACHE_HOME',
  'NODE_COMPILE_CACHE',
  'NODE_EXTRA_CA_CERTS',
];

/** The environment of a process that works for the server. */
export function ownVariables(): NodeJS.ProcessEnv {
  const passed = passedVariables.map((name) => [name, process.env[name]]);
  return { ...Object.fromEntries(passed.filter(([, value]) => value !== undefined)), TZ: 'UTC' };
}
