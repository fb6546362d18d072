import { lifecycleErrors } from './lifecycle/errors.ts';
import { transportErrors } from './transport/errors.ts';
import { wireErrors } from './wire/errors.ts';

/** Codes of what the kernel's own work for a plugin fails with, by the error's name, to branch on. */
export const lifecycleCode = lifecycleErrors.code;
export const transportCode = transportErrors.code;
export const wireCode = wireErrors.code;
