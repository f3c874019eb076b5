/** swav-data. */
package org.swav4j.data;
