/** What plugins contribute to the terminal UI, as data. */
export * from './points.ts';
export * from './names.ts';
export { uiSchemas } from './schemas.ts';
export type {
  UiAction,
  UiActivity,
  UiColumn,
  UiFigure,
  UiLine,
  UiLineGroup,
  UiPane,
  UiPaneAction,
  UiStaleAnswers,
} from './schemas.ts';
export * from './template.ts';
