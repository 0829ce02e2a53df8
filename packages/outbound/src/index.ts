export { AllowedAddresses } from './allowed-addresses.ts';
export {
  type FindAddressesOptions,
  type FoundAddresses,
  findAddresses,
  lookupOf,
  onceConnected,
  type ResolveName,
  resolveBySystem,
} from './find-addresses.ts';
