/** swav-train. */
package org.swav4j.train;
