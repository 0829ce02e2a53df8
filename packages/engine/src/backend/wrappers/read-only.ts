import { HoldfastError } from '@holdfast/base';
import type { Backend } from '../backend.ts';
import { ForwardingBackend } from './forwarding-backend.ts';

/** The same place, for reading: every call that would change something rejects with `storage-not-writable`. */
export function withReadOnly(inner: Backend): Backend {
  return new ReadOnlyBackend(inner);
}

class ReadOnlyBackend extends ForwardingBackend {
  override async create(): Promise<never> {
    return this.#refuse();
  }

  override async save(): Promise<never> {
    return this.#refuse();
  }

  override async remove(): Promise<never> {
    return this.#refuse();
  }

  override async removeLeftovers(): Promise<never> {
    return this.#refuse();
  }

  #refuse(): never {
    throw new HoldfastError('storage-not-writable', `${this.location} was opened for reading only.`, {
      hint: 'Open it for writing, where this is meant.',
      context: { location: this.location },
    });
  }
}
