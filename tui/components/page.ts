import type { ReactNode } from 'react';

/** What an overlay shows. */
export interface Page {
  readonly title: string;
  readonly lines: readonly ReactNode[];
}
