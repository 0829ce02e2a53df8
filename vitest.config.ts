import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

// Thousands of programs are started: with compiled code at hand each takes half the processor time to start.
process.env.NODE_COMPILE_CACHE ??= fileURLToPath(new URL('node_modules/.cache/compiled', import.meta.url));

const nothing = ['**/node_modules/**'];
const needsTestbed = { globalSetup: ['e2e/setup.ts'], testTimeout: 600_000, hookTimeout: 300_000 };

/** One group after the other; within a group, files run side by side. */
export default defineConfig({
  test: {
    // Most of these tests wait for other processes: two at a time are right for two cores.
    maxWorkers: 2,
    projects: [
      {
        test: {
          name: 'unit',
          include: ['packages/*/src/**/*.test.ts', 'script/**/*.test.ts'],
          exclude: [...nothing, '**/*.integration.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'integration',
          include: [
            'packages/*/src/**/*.integration.test.ts',
            'bench/**/*.integration.test.ts',
            'examples/**/*.integration.test.ts',
          ],
          exclude: nothing,
          ...needsTestbed,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['e2e/**/*.test.ts'],
          exclude: [...nothing, 'e2e/engine-restart.test.ts'],
          ...needsTestbed,
          sequence: { groupOrder: 1 },
        },
      },
      {
        // Restarts the engine that all others use.
        test: {
          name: 'engine restart',
          include: ['e2e/engine-restart.test.ts'],
          ...needsTestbed,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
