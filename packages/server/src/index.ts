export { type Config, type LoadConfigOptions, loadConfig } from './config/load-config.ts';
export { type RunningServer, type StartServerOptions, startServer } from './start-server.ts';
