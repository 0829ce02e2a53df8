import type { VolumeCalls } from './docker-engine.ts';
import type { EngineLink } from './engine-link.ts';
import type { Volume } from './engine-objects.ts';

const timeoutMs = 30_000;

export function volumeCalls({ dockerode, call }: EngineLink): VolumeCalls {
  const volumeOf = (name: string) => dockerode.getVolume(encodeURIComponent(name));
  const subjectOf = (name: string) => ({ kind: 'volume', name }) as const;
  return {
    list: ({ signal } = {}) =>
      call({ action: 'list volumes', timeoutMs, signal }, async (abortSignal) => {
        const answer = await dockerode.listVolumes({ abortSignal });
        return (answer.Volumes ?? []).map(toVolume);
      }),
    inspect: (name, { signal } = {}) =>
      call(
        { action: `inspect volume ${name}`, subject: subjectOf(name), timeoutMs, signal },
        async (abortSignal) => toVolume(await volumeOf(name).inspect({ abortSignal })),
      ),
    create: (volume, { signal } = {}) =>
      call({ action: `create volume ${volume.name}`, timeoutMs, signal }, async (abortSignal) => {
        await dockerode.createVolume({
          Name: volume.name,
          Driver: volume.driver,
          Labels: { ...volume.labels },
          DriverOpts: { ...volume.options },
          abortSignal,
        });
        return toVolume(await volumeOf(volume.name).inspect({ abortSignal }));
      }),
    remove: async (name, { signal } = {}) => {
      await call(
        { action: `remove volume ${name}`, subject: subjectOf(name), timeoutMs, signal },
        (abortSignal) => volumeOf(name).remove({ abortSignal }),
      );
    },
  };
}

/** The fields of the engine's answer that are used. Go writes an empty map as null. */
export interface VolumeAnswer {
  readonly Name: string;
  readonly Driver: string;
  readonly Mountpoint?: string | undefined;
  readonly Labels?: Record<string, string> | null | undefined;
  readonly Options?: Record<string, string> | null | undefined;
}

export function toVolume(answer: VolumeAnswer): Volume {
  return {
    name: answer.Name,
    driver: answer.Driver,
    mountpoint: answer.Mountpoint ?? '',
    labels: answer.Labels ?? {},
    options: answer.Options ?? {},
  };
}
