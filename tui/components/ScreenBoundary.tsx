import { Box, Text } from 'ink';
import { Component, type ReactNode } from 'react';
import { THEME } from '../theme.ts';

/** A screen that fails to draw leaves the others usable; going to another tab and back tries again. */
export class ScreenBoundary extends Component<
  { readonly children: ReactNode },
  { readonly failure: string | undefined }
> {
  override state: { readonly failure: string | undefined } = { failure: undefined };

  static getDerivedStateFromError(error: unknown): { readonly failure: string } {
    return { failure: error instanceof Error ? error.message : String(error) };
  }

  override render(): ReactNode {
    const { failure } = this.state;
    if (failure === undefined) return this.props.children;
    return (
      <Box flexDirection="column" padding={1}>
        <Text color={THEME.bad}>This screen could not be drawn.</Text>
        <Text color={THEME.dim}>{failure}</Text>
        <Text color={THEME.dim}>Go to another tab and back to try again.</Text>
      </Box>
    );
  }
}
