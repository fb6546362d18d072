import { Type, type Static } from '../typebox.ts';
import { FIGURE_ROWS } from './names.ts';
import { PATH_PATTERN } from './template.ts';

/**
 * The shapes of what plugins contribute to the terminal UI. All of it is data that crosses the control
 * socket; sizes and counts are bounded here, so that no contribution can crowd out the others.
 */

const closed = { additionalProperties: false } as const;
/** No control characters; the screen also takes out what would reorder or hide text. */
const text = (maxLength: number) => Type.String({ minLength: 1, maxLength, pattern: '^[^\\x00-\\x1f\\x7f-\\x9f]*$' });
const Template = text(300);
const Path = Type.String({ pattern: PATH_PATTERN });
const Command = Type.String({ pattern: '^[a-z0-9-]+(\\.[a-z0-9-]+)?$', maxLength: 60 });
const Params = Type.Record(
  Type.String({ pattern: '^[a-z0-9_-]{1,40}$' }),
  Type.Union([Type.String({ maxLength: 300 }), Type.Number(), Type.Boolean()]),
  { ...closed, maxProperties: 16 },
);
/** The name of a topic, or the beginning of names and a star: `mood/*`. */
const TopicName = Type.String({ pattern: '^[a-z0-9-]+/([a-z0-9-]+|[a-z0-9-]*\\*)$', maxLength: 80 });
const Topics = Type.Array(TopicName, { maxItems: 16 });

/** One way to put something into words. Of several the first whose `when` holds is taken. */
const Line = Type.Object(
  {
    /** Values that must stand at these paths, in a list at one of its entries; `null` for nothing there or an empty list. */
    when: Type.Optional(
      Type.Record(Path, Type.Union([Type.String({ maxLength: 80 }), Type.Number(), Type.Boolean(), Type.Null()]), {
        ...closed,
        maxProperties: 4,
      }),
    ),
    /** Default `plain`. */
    tone: Type.Optional(Type.Enum(['plain', 'good', 'warn', 'bad', 'dim'])),
    text: Template,
  },
  closed,
);
const Lines = Type.Array(Line, { minItems: 1, maxItems: 12 });

/** A key that no key of the UI itself means in Diagnostics and Settings, so that none is ever shadowed. */
export const ACTION_KEY_PATTERN = '^[acfimostvwxzA-DFH-QS-Z]$';

/** A command that a key runs. */
const actionFields = {
  key: Type.String({ pattern: ACTION_KEY_PATTERN }),
  /** A word or two for the status line: `ask anchors`. */
  label: text(24),
  /** One line for the help page. Default: the label. */
  about: Type.Optional(text(52)),
  command: Command,
  /** Constants and templates; in a pane of the selected row: `{ node_id: '{node_id}' }`. */
  params: Type.Optional(Params),
  /** A question asked first; a template of the selected row. */
  confirm: Type.Optional(Template),
  /** What it does meanwhile, for the screen: `asking anchors`. Default: the label. */
  busy: Type.Optional(text(40)),
  /** What it is for, should its plugin be off: `X is off: it is needed to ask anchors for peers`. Default: the label. */
  purpose: Type.Optional(text(60)),
  /** How long the screen waits for the answer. Default 15 s. */
  limitMs: Type.Optional(Type.Integer({ minimum: 100, maximum: 120_000 })),
  /** What the screen says of the answer. Default: `<label>: done`. */
  done: Type.Optional(Lines),
};
const PaneAction = Type.Object(actionFields, closed);
const Action = Type.Object(
  {
    ...actionFields,
    /** The tabs whose keys it joins. Default Diagnostics. */
    where: Type.Optional(Type.Array(Type.Enum(['diagnostics', 'settings']), { minItems: 1, maxItems: 2 })),
  },
  closed,
);

const Column = Type.Object(
  {
    title: text(24),
    /** Of a row: `{name}`, `{node_id|node}`. */
    text: Template,
    /** Characters. Default: the column takes what is left. */
    width: Type.Optional(Type.Integer({ minimum: 2, maximum: 60 })),
  },
  closed,
);

/** Rows of text: one for each entry of a list in the answer, or one of the answer itself. */
const LineGroup = Type.Object(
  {
    /** The list. Without it there is one row, of the whole answer. */
    rows: Type.Optional(Path),
    /** A template of what stands before the row: at most nine characters are shown. */
    tag: Type.Optional(Template),
    /** Where a row says when it was, in milliseconds since 1970; the newest come first. */
    at: Type.Optional(Path),
    lines: Lines,
  },
  closed,
);

const Pane = Type.Object(
  {
    /** Contributions of the same title share a pane. */
    title: text(20),
    /** The heading of this part of a shared pane. */
    section: Type.Optional(text(40)),
    /** The command whose answer it shows. It has five seconds. */
    command: Command,
    params: Type.Optional(Params),
    /** Events after which it is read anew while it is looked at; every ten seconds it is in any case. */
    topics: Type.Optional(Topics),
    /** The list in the answer that the columns are of. Default: the answer is the list, or its first list. */
    rows: Type.Optional(Path),
    /** A table. Either columns or groups. */
    columns: Type.Optional(Type.Array(Column, { minItems: 1, maxItems: 12 })),
    groups: Type.Optional(Type.Array(LineGroup, { minItems: 1, maxItems: 12 })),
    /** Shown when there is no row. */
    empty: Type.Optional(text(100)),
    actions: Type.Optional(Type.Array(PaneAction, { maxItems: 8 })),
  },
  closed,
);

const Activity = Type.Object(
  {
    topic: TopicName,
    /** What it is about, in a word. */
    tag: text(9),
    /** Of the event. When none holds, the event is not told. */
    lines: Lines,
  },
  closed,
);

const Figure = Type.Object(
  {
    row: Type.Enum([...FIGURE_ROWS]),
    label: text(16),
    /** A template of the answer. */
    text: Template,
    command: Command,
    topics: Type.Optional(Topics),
  },
  closed,
);

const StaleAnswers = Type.Object(
  {
    topics: Topics,
    /** The commands whose answers are others now. */
    commands: Type.Array(Command, { minItems: 1, maxItems: 16 }),
    /** Only the answers for these params; each is a path in the event. */
    params: Type.Optional(
      Type.Record(Type.String({ pattern: '^[a-z0-9_-]{1,40}$' }), Path, { ...closed, maxProperties: 4 }),
    ),
    /** What these answers show is no more. */
    gone: Type.Optional(Type.Boolean()),
  },
  closed,
);

const many = <Entry extends Parameters<typeof Type.Array>[0]>(entry: Entry) =>
  Type.Array(entry, { minItems: 1, maxItems: 32 });

export const uiSchemas = {
  pane: Pane,
  activity: many(Activity),
  actions: many(Action),
  figures: many(Figure),
  stale: many(StaleAnswers),
};

export type UiLine = Static<typeof Line>;
export type UiLineGroup = Static<typeof LineGroup>;
export type UiColumn = Static<typeof Column>;
export type UiPane = Static<typeof Pane>;
export type UiPaneAction = Static<typeof PaneAction>;
export type UiAction = Static<typeof Action>;
export type UiActivity = Static<typeof Activity>;
export type UiFigure = Static<typeof Figure>;
export type UiStaleAnswers = Static<typeof StaleAnswers>;
