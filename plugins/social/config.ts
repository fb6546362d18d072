import { Type } from '../../kernel/index.ts';

/** Settings of social; a change is a swap, so every key takes effect at once. */
export const SocialConfig = Type.Object({
  followersPerAddress: Type.Integer({
    default: 100,
    minimum: 1,
    maximum: 100_000,
    description: 'Followers of one IPv4 address or IPv6 /64, a /48 four times as many; each costs 200 bytes (live)',
  }),
  profilesPerAddress: Type.Integer({
    default: 100,
    minimum: 1,
    maximum: 10_000,
    description:
      'Profiles of strangers from one IPv4 address or IPv6 /64, a /48 four times as many; each costs 8 KB at most (live)',
  }),
});
