/** swav-model. */
package org.swav4j.model;
