// What the API's codes mean to a person.

import {t} from './i18n.js';

// The keys are those of the API; unreachable and broken_off are the console's own.
const meanings = () => ({
  unreachable: t('This node does not answer.'),
  broken_off: t('It was broken off. If the node had all of it already, it may be done all the same.'),
  no_leader: t('The cluster has no leader at the moment.'),
  not_caught_up: t('This node is still catching up with the cluster.'),
  store_unavailable: t('The database of this node does not answer.'),
  too_many_requests: t('The cluster has more to do than it can take.'),
  timeout: t('The answer took too long.'),
  unauthorized: t('This needs a token.'),
  forbidden: t('Your token may not do this.'),
  unknown_host: t('The node does not answer to this name.'),
  cross_site: t('The node takes this page for one of another site.'),
  invalid_request: t('Something in it is not right.'),
  not_found: t('There is no such record.'),
  already_exists: t('There is a record with this ID already.'),
  revision_mismatch: t('Somebody else has changed it in the meantime.'),
  outcome_unknown: t('It is not known whether this was done.'),
  quorum_at_risk: t('The voters that are left could not form a majority.'),
  node_unreachable: t('That node does not answer.'),
  wrong_node: t('Another node answers at that address.'),
  id_in_use: t('A member with this ID answers at another address.'),
  address_in_use: t('Another member has this address.'),
  revision_gone: t('What was written since then is not known any more.'),
  node_removed: t('This node was removed from the cluster.'),
  body_too_large: t('It is larger than the node takes.'),
});

// meaning says in a sentence what became of a request.
export const meaning = (problem) => meanings()[problem.code] ?? t('The node refused it ({code}).', {code: problem.code});
