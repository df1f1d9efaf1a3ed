using Slipway.Gateway.Control;
using Slipway.Primitives.Faults;
using Slipway.Trust.Signing;

namespace Slipway.Tests.Gateway.Control;

public sealed class GatewayOptionsTests
{
    private static readonly GatewayOptions good = new()
    {
        Name = "edge-1",
        Channel = "production",
        Folder = "/tmp/gateway",
        Server = new Uri("https://slipway.example.org"),
        Token = "slw_secret",
        Trusted = Keys(),
    };

    [Fact]
    public void All_that_is_wrong_is_told_together()
    {
        good.Validate();
        var bad = good with
        {
            Name = "edge 1",
            Channel = "productoin",
            Server = new Uri("ftp://example.org"),
            Token = "",
            Trusted = KeyRing.Of(),
            StartLimit = TimeSpan.Zero,
            Concurrency = 0,
        };
        var e = Assert.Throws<SlipwayException>(bad.Validate);
        Assert.Equal(ExitCode.UnusableInput, e.Exit);
        Assert.Equal(["bad-gateway-name", "no-channel", "bad-server", "bad-token", "no-trusted-key", "bad-limit", "bad-concurrency"], e.Faults.Select(fault => fault.Code));
        Assert.Equal("did you mean production?", e.Faults[1].Help);
    }

    [Theory]
    [InlineData("https://user:password@example.org")]
    [InlineData("relative")]
    public void A_server_is_an_address_and_holds_no_secret(string url) =>
        Assert.Equal("bad-server", Assert.Throws<SlipwayException>((good with { Server = new Uri(url, UriKind.RelativeOrAbsolute) }).Validate).Faults.Single().Code);

    [Fact]
    public void A_token_with_a_line_end_is_refused_without_being_repeated()
    {
        var e = Assert.Throws<SlipwayException>((good with { Token = "slw_secret\n" }).Validate);
        Assert.DoesNotContain("slw_secret", e.Message);
    }

    [Fact]
    public void The_token_is_in_no_text() => Assert.DoesNotContain("slw_secret", good.ToString());

    private static KeyRing Keys()
    {
        using var key = SigningKey.Create();
        return KeyRing.Of(key.PublicKey);
    }
}
