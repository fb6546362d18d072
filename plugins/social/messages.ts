import { defineNotice, Type } from '../../kernel/index.ts';
import {
  BIO_MAX_CHARS,
  NAME_MAX_CHARS,
  PROFILE_ANCHOR_MAX_CHARS,
  PROFILE_ANCHORS_MAX,
  profileRecords,
} from './profile-record.ts';

export const profileUpdate = defineNotice({
  code: 0x50,
  name: 'ProfileUpdate',
  about: 'A profile, signed by its author, as soon as it changes',
  body: Type.Object({
    ...profileRecords.body.properties,
    name: Type.String({ maxLength: NAME_MAX_CHARS }),
    bio: Type.String({ maxLength: BIO_MAX_CHARS }),
    anchors: Type.Optional(
      Type.Array(Type.String({ maxLength: PROFILE_ANCHOR_MAX_CHARS }), { maxItems: PROFILE_ANCHORS_MAX }),
    ),
  }),
  maxBytes: 16 * 1024,
  // A person changes a profile seldom; the burst lets a script try.
  budget: { perSecond: 1, burst: 20, inFlight: 2 },
});

export const followingNotice = defineNotice({
  name: 'itsgoin/following@1',
  about: 'The sender tells the receiver alone whether it follows it',
  body: Type.Object({ following: Type.Boolean() }),
  maxBytes: 256,
  // Each change is a write: a person changes its mind a few times, a host with 32 connections must not fill the disk's queue.
  budget: { perSecond: 0.1, burst: 10, inFlight: 2 },
});
