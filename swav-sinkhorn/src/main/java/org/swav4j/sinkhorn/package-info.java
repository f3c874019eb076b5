/** swav-sinkhorn. */
package org.swav4j.sinkhorn;
