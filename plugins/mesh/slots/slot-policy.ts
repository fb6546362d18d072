import type { HandshakeParty, SlotFields, SlotPolicy } from '../../peers/api.ts';
import type { MeshContext } from '../context.ts';
import type { PreferenceAgreements } from '../prefer/preference-agreements.ts';
import type { MeshSession, MeshSessions } from '../sessions.ts';
import type { Redirects } from './redirects.ts';
import type { Slots } from './slots.ts';
import type { SlotTransfer } from './slot-transfer.ts';

interface PolicyParts {
  readonly sessions: MeshSessions;
  readonly slots: Slots;
  readonly transfer: SlotTransfer;
  readonly redirects: Redirects;
  readonly agreements: PreferenceAgreements;
}

/** Mesh's share of each handshake: who asks for a slot, who gets one, and who prefers whom. */
export function slotPolicy({ ctx, network }: MeshContext, parts: PolicyParts): SlotPolicy {
  const { sessions, slots, transfer, redirects, agreements } = parts;

  const sessionOf = ({ connectionId, peer }: HandshakeParty): MeshSession =>
    sessions.of(connectionId, peer, network.kindOf(connectionId) === 'mesh');

  const heard = (party: HandshakeParty, { nplus10 }: SlotFields): MeshSession => {
    const session = sessionOf(party);
    session.nplus10 = [...nplus10];
    agreements.confirm(session);
    return session;
  };

  return {
    nplus10: () => agreements.nplus10(),
    ask: (party, purposes) => {
      const session = sessionOf(party);
      const wants_slot = slots.reserve(session, purposes);
      session.redirectDue = wants_slot;
      const need = transfer.need(party.peer.nodeId);
      return { nplus10: agreements.nplus10(), wants_slot, ...(need === undefined ? {} : { need }) };
    },
    answered: (party, theirs) => {
      const session = heard(party, theirs);
      if (!slots.isReserved(party.connectionId) || theirs.slot === 'refused') {
        slots.refuse(session);
        return;
      }
      session.redirectDue = false;
      if (slots.take(session).grant) return;
      // The peer keeps a slot for us; if we have none left after all, it must not be kept in vain.
      ctx.counters.add('granted-slots-returned');
      slots.refuse(session);
      network.close(party.connectionId, 'mesh-full');
    },
    makeRoom: (party) => transfer.makeRoom(sessionOf(party)),
    asked: (party, theirs) => {
      const session = heard(party, theirs);
      const isGranted = theirs.wants_slot === true && slots.take(session).grant;
      if (!isGranted) slots.refuse(session);
      if (theirs.wants_slot !== true) return { nplus10: agreements.nplus10() };
      if (!isGranted) redirects.send(session, party.features, theirs.need !== undefined);
      return { nplus10: agreements.nplus10(), slot: isGranted ? 'granted' : 'refused' };
    },
    over: (connectionId) => slots.release(connectionId),
  };
}
