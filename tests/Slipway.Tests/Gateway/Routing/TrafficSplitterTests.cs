using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Slipway.Documents.Rollouts;
using Slipway.Gateway.Routing;

namespace Slipway.Tests.Gateway.Routing;

public sealed partial class TrafficSplitterTests
{
    private const string Salt = "00112233445566778899aabbccddeeff";

    public static TheoryData<string, string, string, int> Vectors
    {
        get
        {
            var data = new TheoryData<string, string, string, int>();
            foreach (Match row in Row().Matches(File.ReadAllText(Path.Combine(Repository(), "docs", "format", "assignment.md"))))
                data.Add(row.Groups[1].Value, row.Groups[2].Value, row.Groups[3].Value, int.Parse(row.Groups[4].Value, CultureInfo.InvariantCulture));
            return data;
        }
    }

    [Fact]
    public void The_format_has_vectors() => Assert.True(Vectors.Count >= 6);

    [Theory, MemberData(nameof(Vectors))]
    public void The_formats_vectors_hold(string salt, string key, string user, int bucket)
    {
        Assert.Equal(user, Assign(salt, key, 0).User.ToString("x16", CultureInfo.InvariantCulture));
        Assert.Equal(Arm.Stable, Assign(salt, key, bucket).Arm);
        Assert.Equal(Arm.Candidate, Assign(salt, key, bucket + 1).Arm);
    }

    [Fact]
    public void Who_has_the_candidate_keeps_it_when_the_weight_grows()
    {
        int[] weights = [0, 1, 100, 1000, 5000, 9999, 10_000];
        for (var user = 0; user < 2000; user++)
        {
            var had = false;
            foreach (var weight in weights)
            {
                var has = Assign(Salt, $"u{user}", weight).Arm == Arm.Candidate;
                Assert.True(has || !had, $"u{user} lost the candidate at {weight}");
                had = has;
            }

            Assert.Equal(Arm.Stable, Assign(Salt, $"u{user}", 0).Arm);
            Assert.Equal(Arm.Candidate, Assign(Salt, $"u{user}", 10_000).Arm);
        }
    }

    [Fact]
    public void Shares_are_the_weights_and_another_salt_takes_others()
    {
        const int users = 50_000;
        var (first, both) = (0, 0);
        for (var user = 0; user < users; user++)
        {
            var has = Assign(Salt, $"u{user}", 1000).Arm == Arm.Candidate;
            first += has ? 1 : 0;
            both += has && Assign("ffeeddccbbaa99887766554433221100", $"u{user}", 1000).Arm == Arm.Candidate ? 1 : 0;
        }

        // Six standard deviations of a binomial around 10 %, and around 1 % for those that both salts take.
        Assert.InRange(first, 5000 - 403, 5000 + 403);
        Assert.InRange(both, 500 - 134, 500 + 134);
    }

    [Theory]
    [InlineData("request-id", 0, "")]
    [InlineData("header:x-user-id", 1, "x-user-id")]
    [InlineData("body:user", 2, "user")]
    [InlineData("header:", 0, "")]
    [InlineData("cookie:a", 0, "")]
    public void A_key_says_where_it_lies(string key, int place, string name) => Assert.Equal(new KeySource((KeyPlace)place, name), KeySource.Parse(key));

    private static Assignment Assign(string salt, string key, int weight) => new TrafficSplitter(salt, weight).Assign(Encoding.UTF8.GetBytes(key));

    private static string Repository()
    {
        for (var folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (File.Exists(Path.Combine(folder, "Slipway.slnx")))
                return folder;
        }

        throw new InvalidOperationException("these tests read the source tree and are not inside one");
    }

    [GeneratedRegex(@"^\| `([0-9a-f]{32})` \| `([^`]+)` \| `([0-9a-f]{16})` \| (\d+) \|$", RegexOptions.Multiline)]
    private static partial Regex Row();
}
