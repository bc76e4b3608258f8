import * as fc from 'fast-check';
import {
  changePassword,
  deleteUser,
  endOne,
  endOthers,
  list,
  listUsers,
  use,
} from '#test/support/model/signed-in';
import { refresh, register, signIn, signInOften } from '#test/support/model/sign-in';
import {
  advance,
  disable,
  enable,
  grant,
  outstay,
  restart,
  revoke,
} from '#test/support/model/operator';
import { signOut } from '#test/support/model/sign-out';
import type { Command } from '#test/support/model/pick';

const often = (weight: number, arbitrary: fc.Arbitrary<Command>) => ({ weight, arbitrary });

/** How often each is chosen, of about 1000. A restart takes as long as a hundred others. */
export const someCommand = fc.oneof(
  often(30, register),
  often(70, signIn),
  often(8, signInOften),
  often(240, refresh),
  often(140, use),
  often(60, listUsers),
  often(30, list),
  often(15, endOthers),
  often(60, endOne),
  often(40, changePassword),
  often(20, deleteUser),
  often(70, signOut),
  often(25, disable),
  often(35, enable),
  often(50, grant),
  often(30, revoke),
  often(160, advance),
  often(6, outstay),
  often(1, restart),
);
