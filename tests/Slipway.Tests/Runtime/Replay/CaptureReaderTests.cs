using System.Text;
using Slipway.Primitives.Faults;
using Slipway.Runtime.Replay;

namespace Slipway.Tests.Runtime.Replay;

public sealed class CaptureReaderTests
{
    private static readonly string Bundle = "sha256:" + new string('a', 64);

    private static readonly string Line =
        $$"""{"model":"m","version":3,"bundle":"{{Bundle}}","arm":"stable","key":"6f1c","at":5,"inputs":[{"name":"x","datatype":"FP32","shape":[1,1],"data":[1]}],"outputs":null,"dropped":[],"masked":["y"]}""";

    [Fact]
    public void Lines_are_requests_and_empty_ones_are_passed_over()
    {
        var requests = Read(Line + "\n\n" + Line.Replace("\"version\":3", "\"version\":4") + "\n").ToArray();
        Assert.Equal([3, 4], requests.Select(request => request.Version));
        Assert.Equal(["y"], requests[0].Masked);
        Assert.Null(requests[0].Outputs);
    }

    [Theory]
    [InlineData("nonsense", "is no JSON object that ends where the line does")]
    [InlineData("{\"model\":\"m\"", "is no JSON object that ends where the line does")]
    [InlineData("[1]", "is a list, allowed is an object")]
    [InlineData("{}", "lacks the key 'model', the model's name")]
    [InlineData("{\"model\":\"m\"}", "lacks the key 'version', the number of the version that answered")]
    public void A_line_that_is_none_is_told_in_our_words(string line, string message) => AssertRefused(line, message);

    [Theory]
    [InlineData("\"version\":3", "\"version\":\"three\"", "has as 'version' the text 'three', allowed is the number of the version that answered")]
    [InlineData("\"version\":3", "\"version\":3.5", "has as 'version' the number 3.5, allowed is the number of the version that answered")]
    [InlineData("\"arm\":\"stable\"", "\"arm\":\"left\"", "has as 'arm' the text 'left', allowed is direct, stable or candidate")]
    [InlineData("\"at\":5", "\"at\":null", "has as 'at' null, allowed is Unix milliseconds")]
    [InlineData("\"outputs\":null", "\"outputs\":[1]", "has as 'outputs' a list, allowed is a list of tensors, or null where there was no answer")]
    [InlineData("\"dropped\":[]", "\"droped\":[],\"dropped\":[]", "has the key 'droped', which captured requests do not have; did you mean dropped?")]
    [InlineData("\"at\":5", "\"at\":5,\"at\":6", "has the key 'at' twice")]
    [InlineData("\"masked\":[\"y\"]", "\"masked\":[1]", "has as 'masked' a list, allowed is a list of inputs' names, mostly empty")]
    public void A_key_that_is_not_as_it_should_be_is_told_with_what_it_holds_and_what_is_allowed(string good, string bad, string message) => AssertRefused(Line.Replace(good, bad), message);

    [Theory]
    [InlineData("\"arm\":\"stable\"", "\"arm\":\"\\ud800\"")]
    [InlineData("\"key\"", "\"\\ud800\"")]
    public void Half_a_surrogate_pair_is_told_and_no_fault_of_the_program(string good, string bad) => AssertRefused(Line.Replace(good, bad), "has text that is no Unicode, such as half of a surrogate pair");

    [Fact]
    public void Of_a_line_that_does_not_end_no_more_is_read_than_a_line_may_have()
    {
        using var endless = new FileStream("/dev/zero", FileMode.Open, FileAccess.Read);
        Assert.Contains("has more than 16777216 characters", Assert.Throws<SlipwayException>(() => CaptureReader.Read(endless, "requests.jsonl").Count()).Message);
    }

    [Fact]
    public void A_bundle_that_is_no_digest_is_refused() =>
        AssertRefused(Line.Replace(Bundle, "sha256:aa"), "has as 'bundle' the text 'sha256:aa', allowed is the digest of its bundle, sha256: and 64 hex digits");

    private static void AssertRefused(string line, string message)
    {
        var fault = Assert.Single(Assert.Throws<SlipwayException>(() => Read(Line + "\n" + line).Count()).Faults);
        Assert.Equal(("is no captured request: it " + message, 2, "requests.jsonl"), (fault.Message, fault.Line, fault.File));
        Assert.DoesNotContain("System.", fault.ToString());
        Assert.DoesNotContain("Slipway.", fault.ToString());
    }

    private static IEnumerable<Slipway.Documents.Incidents.CapturedRequest> Read(string text) => CaptureReader.Read(new MemoryStream(Encoding.UTF8.GetBytes(text)), "requests.jsonl");
}
