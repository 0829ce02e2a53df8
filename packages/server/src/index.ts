export { type Config, type LoadConfigOptions, loadConfig } from './config/load-config.ts';
export { type RunningServer, startServer } from './start-server.ts';
