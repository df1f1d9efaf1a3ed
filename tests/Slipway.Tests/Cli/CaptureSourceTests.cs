using System.Text;
using Slipway.Cli;
using Slipway.Cli.Verbs;
using Slipway.Documents.Incidents;
using Slipway.Primitives.Faults;
using Slipway.Tests.Primitives;
using Slipway.Trust.Encryption;
using Slipway.Trust.Signing;

namespace Slipway.Tests.Cli;

public sealed class CaptureSourceTests : IDisposable
{
    private static readonly string Line =
        $$"""{"model":"m","version":3,"bundle":"sha256:{{new string('a', 64)}}","arm":"stable","key":"6f1c","at":1780228800000,"inputs":[],"outputs":null,"dropped":[],"masked":[]}""";

    private readonly TestFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task A_file_is_read_open_or_sealed()
    {
        using var key = SigningKey.Create();
        key.Save(folder["capture.key"]);
        folder.Write("open.jsonl", Line + "\n" + Line);
        folder.Write("sealed.jose", SealedMessage.Seal(Encoding.UTF8.GetBytes(Line), key.PublicKey));
        Assert.Equal((2, 1), (await CountAsync("open.jsonl"), await CountAsync("sealed.jose")));
    }

    [Fact]
    public async Task Another_key_or_its_public_half_is_refused_with_what_is_needed()
    {
        using var key = SigningKey.Create();
        using var other = SigningKey.Create();
        key.Save(folder["right.key"]);
        other.Save(folder["capture.key"]);
        folder.Write("sealed.jose", SealedMessage.Seal(Encoding.UTF8.GetBytes(Line), key.PublicKey));
        foreach (var (named, message) in new[] { ("capture.key", "it is sealed for the key " + key.PublicKey.KeyId), ("right.key.pub", "holds a public key, and the private one is needed"), ("none.key", "there is no key file") })
        {
            var fault = await RefusedAsync("sealed.jose", named);
            Assert.Contains(message, fault.Message);
            Assert.Contains("--capture-key takes the private key", fault.Help);
        }
    }

    [Theory]
    [InlineData("", "nothing-captured", "is empty: it has no captured request")]
    [InlineData("\n\n", "nothing-captured", "is empty: it has no captured request")]
    [InlineData("nonsense", "capture-malformed", "is neither JSON lines of captured requests nor a capture that is sealed for a key")]
    [InlineData("{}", "capture-malformed", "it lacks the key 'model'")]
    public async Task What_holds_no_request_is_refused_before_anything_else_is_done(string content, string code, string message)
    {
        folder.Write("file", content);
        var fault = await RefusedAsync("file", "capture.key");
        Assert.Equal(code, fault.Code);
        Assert.Contains(message, fault.Message);
    }

    [Fact]
    public async Task A_line_far_down_is_found_before_too()
    {
        folder.Write("file", string.Concat(Enumerable.Repeat(Line + "\n", 50)) + "{}");
        Assert.Equal(51, (await RefusedAsync("file", "capture.key")).Line);
    }

    [Fact]
    public async Task A_time_without_requests_is_told_as_such()
    {
        folder.Write("file", Line);
        var refused = await Assert.ThrowsAsync<SlipwayException>(() => OpenAsync("file", "capture.key", to: 5));
        Assert.Contains("between --from and --to", refused.Faults[0].Message);
    }

    [Fact]
    public void What_could_not_be_compared_is_not_called_equal()
    {
        Assert.Equal("1 of 4 differ", ReplayVerb.Differing(ReplayCounts.None with { Requests = 4, Same = 3, Different = 1 }));
        Assert.Equal("1 of 2 differ; 3 could not be compared", ReplayVerb.Differing(ReplayCounts.None with { Requests = 5, Same = 1, Failed = 1, NotCompared = 2, NotAsked = 1 }));
        Assert.Equal("none of 1 could be compared, so nothing is known", ReplayVerb.Differing(ReplayCounts.None with { Requests = 1, NotAsked = 1 }));
    }

    [Theory]
    [InlineData(1e-6, "0.000001")]
    [InlineData(1e-5, "0.00001")]
    [InlineData(0.123456, "0.1235")]
    [InlineData(4.5678e-12, "0.000000000004568")]
    [InlineData(0, "0")]
    [InlineData(12345.6, "12350")]
    public void Differences_and_tolerances_are_shown_without_an_exponent(double number, string text) => Assert.Equal(text, ReplayVerb.Plain(number));

    private async Task<int> CountAsync(string file)
    {
        await using var opened = await OpenAsync(file, "capture.key");
        return opened.Requests.Count();
    }

    private async Task<Fault> RefusedAsync(string file, string key) => Assert.Single((await Assert.ThrowsAsync<SlipwayException>(() => OpenAsync(file, key))).Faults);

    private Task<OpenCapture> OpenAsync(string file, string key, long? to = null) =>
        new CaptureSource(file, folder[key], null, to, null).OpenAsync(new Shell(folder.Root, "slipway.yaml", false, true, false), TestContext.Current.CancellationToken);
}
