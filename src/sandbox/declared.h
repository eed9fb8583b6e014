#pragma once

#include "catalog/catalog.h"
#include "sandbox/declaration.h"
#include "sandbox/operation.h"

namespace fixpoint::sandbox {

/// Adds the operations that `sandbox/SERVICE.yaml` of the catalog declare. Error: ValidationException, `where` being
/// file and place.
///
/// The form. `T` is a template (template.h), `E` an error `{code, message: T, status}`, `P` a member's path (`A.B`) in
/// the resource. Unknown keys are refused.
///
///     service: iam
///     types:                       # kinds of resources
///       user:
///         scope: account           # region (what is left out), account (in no region), world (of no account)
///         id: T                    # names the resource, from the input
///         missing: E               # it is not there
///         exists: E                # it is there already
///         checks: [check...]       # before every operation on a resource of the type
///     operations:
///       CreateUser:
///         create: user             # one of create, read, update, delete, list, and put (create or replace)
///         body: T                  # create, put: the resource
///         answer: T                # the result; `$it` is the resource after the change. Left out: no members
///
/// Of every operation: `id: T` in place of the type's; `missing: E` likewise; `needs: [{type, id: T}]` (others
/// that have to be there, with their `missing`); `checks: [{has: T} | {lacks: T} | {equals: [T, T]} | {differs: [T, T]}
/// | {holds: [T, T]} | {lacks_item: [T, T]} | {any: {type, prefix: T, where: [filter]}}, each with error: E]`
/// (`differs` is false where one of the two is nothing; `holds`: the first is a list with the second in it, or an
/// object that has such a member); conditions of one check are joined by and.
///
/// create: `if_there: answer` gives the answer with what is there instead of `exists`.
/// read, update: `default: T` stands for a resource that is not there (the settings of an account, for instance).
/// update and put on what is there: in this order `set: {P: T}` (nothing leaves the old value), `replace: {P: T}`
/// (nothing removes it), `unset: [P]`, `merge: {P: T}` (the object's members over the old ones), `add: {to: P, items:
/// T, key: name}` (into a list; an item with the same key takes the old one's place; without `key` items are compared
/// whole), `remove: {from: P, keys: T, key: name, missing: E}` (from a list by the value of `key`, or from an object by
/// name). delete: `with: [{type, prefix: T}]` go too; `if_missing: ignore`. list: `into: name`, `each: T` (an item;
/// `$it` where left out), `prefix: T` (of the ids), `where: [{when: T, is: T, how: equals|begins|contains|any}]` (a
/// filter counts where `when` gives something; `any`: `when` is a list with `is` in it), `named: T` (where it gives
/// something, only this id, and `missing` where it is not there), `page: {size, token, next, more, default, most,
/// invalid: E}` (names of members), `answer` for the members beside `into`.
///
/// `absent: {Operation: [Member, A.B: value]}`, of operations that are declared or code: members of the input that the
/// account does not have, returned for refuse_absent. `value` is what it does anyway.
Result<std::vector<Absent>> add_declared(const catalog::Catalog& catalog, Services& services);

/// Has those operations refuse a call that asks for such a member, with NotImplemented that names it. Empty texts,
/// lists and structures and false ask for nothing. Error: ValidationException for an operation that is not in the
/// table.
Result<void> refuse_absent(const std::vector<Absent>& absent, Services& services);

}  // namespace fixpoint::sandbox
