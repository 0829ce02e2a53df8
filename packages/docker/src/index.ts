export {
  type CommandEnd,
  type CommandOptions,
  killLeftCommands,
  type RunningCommand,
  startCommand,
} from './command/run-command.ts';
export { compareComposeFiles } from './compose-files/compare-compose-files.ts';
export { composeFilesOf, findCompose, resolveComposeFiles } from './compose-files/resolve-compose-files.ts';
export { dependentsFirst } from './discovery/dependency-order.ts';
export { discoverEnvironments, type EngineInventory } from './discovery/discover-environments.ts';
export type {
  CommandLabels,
  Component,
  Environment,
  EnvironmentType,
  Instance,
  Mount,
  MountPoint,
  MountSource,
  VolumeSource,
} from './discovery/environment.ts';
export { labelDurationMs } from './discovery/label-duration.ts';
export { composeLabels, holdfastLabels } from './discovery/labels.ts';
export { readInventory } from './discovery/read-inventory.ts';
export { type ConnectDockerOptions, connectDocker } from './engine-port/connect-docker.ts';
export type { ContainerFile, ContainerPathStat } from './engine-port/container-file.ts';
export type {
  ContainerCalls,
  ContainerListOptions,
  DockerEngine,
  EventOptions,
  EventStream,
  ImageCalls,
  NetworkCalls,
  NewContainer,
  NewMount,
  NewSandbox,
  VolumeCalls,
} from './engine-port/docker-engine.ts';
export type {
  Container,
  ContainerMount,
  ContainerMountType,
  ContainerState,
  ContainerStatus,
  ContainerSummary,
  EngineEvent,
  EngineInfo,
  FilesystemChange,
  Image,
  Network,
  RestartPolicy,
  Volume,
} from './engine-port/engine-objects.ts';
export type { ExecOptions, ExecSession } from './engine-port/exec-session.ts';
export type { JsonObject, JsonValue } from './engine-port/json-object.ts';
export { type FreezeOptions, freezeContainers } from './freeze/freeze-containers.ts';
export { type FreezeCalls, type FreezeTarget, selectFreezeTargets } from './freeze/freeze-target.ts';
export {
  type GuardContainer,
  type GuardProgram,
  guardContainersGone,
  runGuardContainer,
} from './freeze/guard-program.ts';
export { guardLingerMs } from './freeze/run-guard.ts';
export { type Guard, type StartGuardOptions, startGuard } from './freeze/start-guard.ts';
export { type ThawOptions, thawContainers } from './freeze/thaw-containers.ts';
export { type FreezeVerdict, verifyFrozen } from './freeze/verify-frozen.ts';
export { type ThawWatch, watchThaws } from './freeze/watch-thaws.ts';
export {
  type ChangeFolders,
  changeFoldersHere,
  changeFoldersInContainer,
} from './host-files/change-folders.ts';
export type { BoundPlace, FolderAnswer } from './host-files/folder-change.ts';
export { resolveInContainer } from './host-files/resolve-in-container.ts';
export { copyImage } from './image/copy-image.ts';
export { commandInImage, smallHeap } from './image/holdfast-image.ts';
export { type ClonedModel, type CloneModelOptions, cloneModel, isProjectName } from './model/clone-model.ts';
export { publishedPortsOf } from './model/clone-ports.ts';
export { compareModels, type ModelDifference } from './model/compare-models.ts';
export { boundPathsOf } from './model/declared-mounts.ts';
export type {
  ComposeDifferences,
  ContainerModel,
  EnvironmentModel,
  ImageModel,
  MountedVolume,
  NetworkModel,
  VolumeModel,
} from './model/environment-model.ts';
export {
  type MadeEnvironment,
  type MakeEnvironmentOptions,
  makeEnvironment,
  requireMakeable,
} from './model/make-environment.ts';
export { addedPrivileges, privilegesOf } from './model/privileges.ts';
export { pullMissingImages } from './model/pull-images.ts';
export { readEnvironmentModel } from './model/read-model.ts';
export { type SettleOptions, settleReplaced } from './model/replaced-containers.ts';
export {
  minimumResources,
  type Resources,
  type ResourcesChoice,
  resourcesOf,
  withResources,
} from './model/resources.ts';
export { type SharedStorage, sharedWith } from './model/shared-storage.ts';
export { hostPathOf, type MountDecision } from './mounts/decide-mount.ts';
export {
  type DescribedMount,
  type DescribedMounts,
  type DescribeMountsOptions,
  describeMounts,
  pathsOf,
} from './mounts/describe-mounts.ts';
export type { ProtectedPath } from './mounts/never-paths.ts';
export { findProjectFolder, type ProjectFolder } from './mounts/project-folder.ts';
export { type ResolvedPath, type ResolvePaths, resolveHere } from './mounts/resolve-path.ts';
export {
  type WritesOutsideOptions,
  type WritesOutsideVolumes,
  writesOutsideVolumes,
} from './mounts/writes-outside-volumes.ts';
export { type MountedSources, writesTo } from './mounts/writes-to.ts';
export {
  containerIdOf,
  findOwnContainer,
  pathOnMachine,
  shareWithContainer,
} from './own-container/own-container.ts';
export { type AttachedRun, removeIfThere, runAttached } from './run-attached/run-attached.ts';
export { type HostView, isContainerMountTable, viewHost } from './volume-proof/host-view.ts';
export type { PathProof } from './volume-proof/path-proof.ts';
export { removeLeftProbes } from './volume-proof/probe-container.ts';
export { type ProveBindsOptions, proveBinds } from './volume-proof/prove-binds.ts';
export { type ProveVolumesOptions, proveVolumes } from './volume-proof/prove-volumes.ts';
