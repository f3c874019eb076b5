/**
 * Host memory of arrays, for the loops that run over every number of the model once a step. Not a
 * way in for users; nothing here knows about learning.
 */
package org.swav4j.train.host;
