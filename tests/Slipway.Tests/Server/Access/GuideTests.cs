using System.Text.RegularExpressions;
using Slipway.Documents.Access;
using Slipway.Server.Access;
using Slipway.Tests.Primitives;

namespace Slipway.Tests.Server.Access;

/// <summary>What <c>docs/guide/access.md</c> says is so.</summary>
public sealed partial class GuideTests
{
    private static readonly string guide = File.ReadAllText(Find("docs/guide/access.md"));

    [Fact]
    public void The_table_of_roles_is_the_servers()
    {
        var rows = Row().Matches(guide).ToDictionary(row => row.Groups[1].Value, row => row.Groups[2].Value);
        Assert.Equal(
            Enum.GetValues<Role>().ToDictionary(role => role.ToString().ToLowerInvariant(), role => string.Join(", ", RoleTable.Of(role).Select(permission => permission.ToString().ToLowerInvariant()))),
            rows);
    }

    [Fact]
    public void The_identity_providers_description_is_one()
    {
        using var folder = new TestFolder();
        var trust = OidcTrust.Load(folder.Write("oidc.json", Json().Match(guide).Groups[1].Value));
        Assert.Equal([new RoleGrant(Role.Approver, "*")], trust.RolesOf("ml-leads"));
    }

    private static string Find(string file)
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); ; folder = folder.Parent!)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Slipway.slnx")))
                return Path.Combine(folder.FullName, file);
        }
    }

    [GeneratedRegex(@"^\| `(\w+)` \| (.*) \|$", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex("```json\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Json();
}
