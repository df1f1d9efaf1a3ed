using System.Net;
using Slipway.Server.Webhooks;

namespace Slipway.Tests.Server.Webhooks;

public class ReceiverAddressTests
{
    [Theory]
    [InlineData("93.184.216.34")]
    [InlineData("10.1.2.3")]
    [InlineData("192.168.0.10")]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    [InlineData("fd12:3456::1")]
    [InlineData("2001:db8::1")]
    public void Public_private_and_local_addresses_are_taken(string address) => Assert.Null(ReceiverAddress.Refusal(IPAddress.Parse(address), "https"));

    [Theory]
    [InlineData("169.254.169.254")]
    [InlineData("169.254.0.1")]
    [InlineData("::ffff:169.254.169.254")]
    [InlineData("::169.254.169.254")]
    [InlineData("64:ff9b::169.254.169.254")]
    [InlineData("64:ff9b:1::a9fe:a9fe")]
    [InlineData("2002:a9fe:a9fe::1")]
    [InlineData("2001:0:1:2:3:4:5601:5601")]
    [InlineData("fe80::1")]
    [InlineData("fe80::1%2")]
    [InlineData("fd00:ec2::254")]
    [InlineData("100.100.100.200")]
    [InlineData("168.63.129.16")]
    [InlineData("0.0.0.0")]
    [InlineData("0.1.2.3")]
    [InlineData("::")]
    [InlineData("::ffff:0.0.0.0")]
    [InlineData("224.0.0.1")]
    [InlineData("255.255.255.255")]
    [InlineData("ff02::1")]
    public void Link_local_metadata_unspecified_and_multicast_addresses_are_refused(string address) => Assert.NotNull(ReceiverAddress.Refusal(IPAddress.Parse(address), "https"));

    [Theory]
    [InlineData("127.0.0.1", true)]
    [InlineData("::1", true)]
    [InlineData("10.1.2.3", false)]
    [InlineData("93.184.216.34", false)]
    public void Http_leads_to_this_machine_alone(string address, bool taken) => Assert.Equal(taken, ReceiverAddress.Refusal(IPAddress.Parse(address), "http") is null);

    [Theory]
    [InlineData("https://hooks.example.org/slipway?x=1", true)]
    [InlineData("https://10.0.0.7:8443/", true)]
    [InlineData("http://127.0.0.1:9000/hook", true)]
    [InlineData("http://localhost:9000/hook", true)]
    [InlineData("http://hooks.example.org/", false)]
    [InlineData("https://169.254.169.254/latest/meta-data", false)]
    [InlineData("https://[fe80::1]/", false)]
    [InlineData("https://ada:secret@hooks.example.org/", false)]
    [InlineData("ftp://hooks.example.org/", false)]
    [InlineData("file:///etc/passwd", false)]
    [InlineData("/hook", false)]
    public void An_address_is_looked_at_before_it_is_stored(string url, bool taken) => Assert.Equal(taken, ReceiverAddress.Refusal(new Uri(url, UriKind.RelativeOrAbsolute)) is null);
}
