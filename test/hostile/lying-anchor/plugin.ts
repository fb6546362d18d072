import { defineCommand, definePlugin, Type } from '../../../kernel/index.ts';
import { anchorRegister, type Referral, referralRequest } from '../../../plugins/anchors/messages.ts';

/** Whatever the test says; an honest node's schema would not let it out. */
const anyAnswer = { ...referralRequest, response: { ...referralRequest.response, body: Type.Unknown() } };

/** Plays an anchor that gives out what the test says. */
export default definePlugin({
  name: 'anchors',
  version: '1.0.0',
  kernel: '^1',
  about: 'Lies in tests',
  messages: { anchorRegister, referralRequest: anyAnswer },
  commands: {
    'liar.refer': defineCommand({
      about: 'Sets the referrals',
      params: Type.Object({ referrals: Type.Unknown() }),
      result: Type.Object({}),
    }),
  },
  setup: () => {
    let referrals: unknown = [];
    return {
      handlers: {
        anchorRegister: () => {},
        referralRequest: () => ({ referrals: referrals as Referral[] }),
      },
      commands: {
        'liar.refer': (params) => {
          ({ referrals } = params);
          return {};
        },
      },
    };
  },
});
