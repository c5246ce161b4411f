// SPDX-License-Identifier: GPL-2.0
/*
 * Classes of Click and FastClick by name, for files whose framework's sources are not named. The
 * form is that of click_facts.h. What is not here counts as shared.
 */
#include <stddef.h>
#include "click_facts.h"

#define TUPLE	"src_ip.dst_ip.src_port.dst_port.protocol"

const char *const click_table[] = {
	/* where packets come from and go to */
	"FromDevice receiver",
	"FromDPDKDevice receiver HASHFUNC",
	"FromNetmapDevice receiver",
	"PollDevice receiver",
	"ToDevice stateless",
	"ToDPDKDevice stateless",
	"ToNetmapDevice stateless",
	"Discard stateless",
	"Idle stateless",
	"Queue handoff key=const",
	"ThreadSafeQueue handoff key=const",
	"MPSCQueue handoff key=const",
	"Unqueue handoff",
	"Pipeliner handoff",
	"CPUSwitch stateless",

	/* the paper's */
	"IPortScanDetector key=src_ip packet pointer SHARED",
	"IPolicer key=dst_ip packet SHARED",
	"ISourceCounter key=src_ip packet SHARED",
	"FlowRateLimiter key=flow packet key=cpu packet",
	"FlowHyperScan key=flow packet pointer key=cpu packet",
	"FlowCounter key=flow packet key=cpu packet",
	"FlowIPLoadBalancer key=flow flow key=? packet rewrites=dst_ip",
	"CheckIPHeader key=const packet",
	"AverageCounter key=const packet",
	"BatchStats key=cpu packet",
	"EtherEncap stateless rewrites=src_mac.dst_mac.ethertype",
	"EtherMirror stateless rewrites=src_mac.dst_mac",
	"HashSwitch stateless",
	"EnsureEther stateless rewrites=src_mac.dst_mac.ethertype",

	/* managers of flows */
	"FlowIPManager manager=" TUPLE " key=" TUPLE " packet",
	"FlowIPManagerMP manager=" TUPLE " key=" TUPLE " packet",
	"FlowIPManagerIMP manager=" TUPLE " key=cpu packet",

	/* without state, and without a change of what keys are made of */
	"Align stateless",
	"CheckIPHeader2 key=const packet",
	"Classifier stateless",
	"IPClassifier stateless",
	"IPFilter stateless",
	"CheckLength stateless",
	"CheckPaint stateless",
	"EtherRewrite stateless rewrites=src_mac.dst_mac",
	"MarkIPHeader stateless",
	"MarkMACHeader stateless",
	"Null stateless",
	"Paint stateless",
	"PaintSwitch stateless",
	"Print stateless",
	"IPPrint stateless",
	"SetIPChecksum stateless",
	"SetTCPChecksum stateless",
	"SetUDPChecksum stateless",
	"Strip stateless",
	"StripEtherVLANHeader stateless rewrites=vlan",
	"StripIPHeader stateless rewrites=?",
	"Switch stateless",
	"StaticSwitch stateless",
	"Tee stateless",
	"Unstrip stateless",
	"VLANEncap stateless rewrites=vlan",
	"GetIPAddress stateless",
	"DecIPTTL key=const packet",
	"SetIPAddress stateless",
	"StaticIPLookup stateless",
	"RadixIPLookup stateless",
	"DirectIPLookup stateless",
	"IPMirror stateless rewrites=" TUPLE,

	/* one state for all packets */
	"Counter key=const packet",
	"CounterMP key=const packet",
	"RoundRobinSwitch key=const packet",
	"BandwidthMeter key=const packet",
	"RatedSplitter key=const packet",
	"RatedUnqueue handoff key=const packet",
	"Shaper key=const packet",

	/* state under keys that are no fields of the packet, or of several kinds */
	"ARPQuerier key=? packet rewrites=src_mac.dst_mac.ethertype",
	"ARPResponder stateless rewrites=src_mac.dst_mac",
	"EtherSwitch key=? packet",
	"IPRewriter key=? packet rewrites=src_ip.dst_ip.src_port.dst_port",
	"TCPRewriter key=? packet rewrites=src_ip.dst_ip.src_port.dst_port",
	"UDPRewriter key=? packet rewrites=src_ip.dst_ip.src_port.dst_port",
	"ICMPPingRewriter key=? packet rewrites=src_ip.dst_ip",
	"IPFragmenter key=const packet",
	"IPReassembler key=? packet",

	/* around the packets, not in their way */
	"DriverManager stateless",
	"Script stateless",
	"ControlSocket stateless",
	"Message stateless",
	"RandomSeed stateless",
	"ScheduleInfo stateless",
	"StaticThreadSched stateless",
	"AddressInfo stateless",
	"AlignmentInfo stateless",
	"PortInfo stateless",
	NULL
};
