import type { HandlersOf } from '../../http/handler.ts';
import type { UploadService } from './service.ts';

export function uploadHandlers(service: UploadService): HandlersOf<'upload.create'> {
  return { 'upload.create': async ({ file, signal }) => await service.take(file, { signal }) };
}
