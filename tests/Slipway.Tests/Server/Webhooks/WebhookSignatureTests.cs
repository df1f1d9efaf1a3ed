using System.Text;
using Slipway.Server.Webhooks;

namespace Slipway.Tests.Server.Webhooks;

public class WebhookSignatureTests
{
    /// <summary>The published vector of Standard Webhooks' reference libraries.</summary>
    [Fact]
    public void The_published_vector_is_signed_as_published() => Assert.Equal(
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        WebhookSignature.Sign(Convert.FromBase64String("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, Encoding.UTF8.GetBytes("{\"test\": 2432232314}")));

    [Fact]
    public void A_secret_is_shown_with_its_prefix() => Assert.Equal("whsec_AQID", WebhookSignature.Text([1, 2, 3]));
}
