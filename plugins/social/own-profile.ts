import { fieldsOf } from '../../kernel/index.ts';
import type { NodeId, RecordSigner } from '../../kernel/index.ts';
import { socialErrors } from './errors.ts';
import { problemWith, profileRecords } from './profile-record.ts';
import type { ProfileRecord } from './profile-record.ts';
import type { Profiles } from './profiles.ts';

interface OwnProfileDeps {
  readonly self: NodeId;
  readonly profiles: Profiles;
  nowMs(): number;
  readonly signer: RecordSigner;
  /** See `Database.synced`. */
  synced(): Promise<void>;
  /** A newer profile of the user is on disk. */
  onChange(record: ProfileRecord): void;
}

/** The user's own profile: made here, signed, on disk before anybody hears of it. */
export class OwnProfile {
  readonly #deps: OwnProfileDeps;

  constructor(deps: OwnProfileDeps) {
    this.#deps = deps;
  }

  get(): ProfileRecord | undefined {
    return this.#deps.profiles.get(this.#deps.self);
  }

  /** @throws social/empty-change, social/bad-profile, store/* */
  async set(change: { name?: string; bio?: string; anchors?: readonly string[] }): Promise<ProfileRecord> {
    if (Object.values(change).every((value) => value === undefined)) throw socialErrors.make('empty-change');
    const { self, profiles, nowMs, signer, synced, onChange } = this.#deps;
    const known = this.get();
    const name = (change.name ?? known?.name ?? '').trim();
    const bio = (change.bio ?? known?.bio ?? '').replaceAll('\r\n', '\n').trim();
    const named = change.anchors?.map((text) => text.trim()).filter((text) => text !== '') ?? known?.anchors ?? [];
    const anchors = named.length === 0 ? {} : { anchors: [...new Set(named)] };
    const reason = problemWith({ name, bio, ...anchors });
    if (reason !== undefined) throw socialErrors.make('bad-profile', { reason });
    // Two changes in one millisecond, or a clock set back, must still be in order.
    const timestamp_ms = Math.max(nowMs(), (known?.timestamp_ms ?? 0) + 1);
    // What a newer version on another device says besides stays said.
    const { anchors: _, ...kept } = known === undefined ? {} : fieldsOf(known);
    const record = profileRecords.sign(signer, { ...kept, author: self, name, bio, ...anchors, timestamp_ms });
    profiles.store(record, nowMs());
    await synced();
    onChange(record);
    return record;
  }
}
