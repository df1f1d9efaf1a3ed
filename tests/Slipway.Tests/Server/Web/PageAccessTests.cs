using System.Collections.Immutable;
using System.Net;
using Slipway.Documents.Access;
using Slipway.Server.Api;

namespace Slipway.Tests.Server.Web;

/// <summary>Walks every page and form as every role, over the role's own model and another one, as <c>AuthorizationTests</c> does the API.</summary>
public sealed class PageAccessTests
{
    private const string Own = "flight-delay", Other = "other-model";

    /// <summary>All pages and forms, and what each asks for.</summary>
    private const string Table =
        """
        GET    /                                                              SignedIn
        GET    /alerts                                                        Read anywhere
        GET    /events                                                        SignedIn
        GET    /incidents                                                     Read anywhere
        GET    /incidents/{incident}                                          Read anywhere
        POST   /incidents/{incident}/close                                    Operate anywhere
        POST   /incidents/{incident}/note                                     Operate anywhere
        GET    /ledger                                                        Read anywhere
        GET    /ledger/checkpoint                                             Read anywhere
        GET    /ledger/{index}/proof                                          Read anywhere
        GET    /models/{model}                                                Read
        GET    /models/{model}/channels/{channel}/monitoring                  Read
        GET    /models/{model}/channels/{channel}/rollouts/{rollout}          Read
        POST   /models/{model}/channels/{channel}/rollouts/{rollout}/abort    Operate
        POST   /models/{model}/channels/{channel}/rollouts/{rollout}/pause    Operate
        POST   /models/{model}/channels/{channel}/rollouts/{rollout}/resume   Operate
        POST   /models/{model}/channels/{channel}/rollouts/{rollout}/rollback Operate
        POST   /models/{model}/rollback                                       Operate
        GET    /models/{model}/versions/{number}                              Read
        GET    /models/{model}/versions/{number}/card                         Read
        POST   /models/{model}/versions/{number}/promote                      Promote
        POST   /models/{model}/versions/{number}/release                      Operate
        POST   /models/{model}/versions/{number}/vote                         Approve
        """;

    private static readonly Dictionary<Role, Permission[]> May = new()
    {
        [Role.Viewer] = [Permission.Read],
        [Role.Author] = [Permission.Read, Permission.Push, Permission.Promote],
        [Role.Approver] = [Permission.Read, Permission.Approve],
        [Role.Operator] = [Permission.Read, Permission.Promote, Permission.Operate],
        [Role.Admin] = [Permission.Read, Permission.Administer],
        [Role.Gateway] = [Permission.Gateway],
    };

    [Fact]
    public async Task Every_page_is_on_the_list_with_what_it_asks_for()
    {
        await using var server = await TestServer.StartAsync();
        var listed = Table.Split('\n').Select(line => string.Join(' ', line.Split(' ', StringSplitOptions.RemoveEmptyEntries))).Order(StringComparer.Ordinal);
        Assert.Equal(listed, server.Plane.Pages.Select(page => $"{page.Method} {page.Path} {page.Permission}{(page.AnyModel ? " anywhere" : "")}").Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Every_role_sees_and_orders_what_its_permissions_say_and_nothing_else()
    {
        await using var server = await TestServer.StartAsync();
        var wrong = new List<string>();
        var denied = 0;
        foreach (var role in Enum.GetValues<Role>())
        {
            foreach (var over in new[] { Own, RoleGrant.AllModels })
            {
                var browser = await Browser.SignedInAsync(server, (await server.NewTokenAsync($"{role} of {over}", [], new RoleGrant(role, over))).Token);
                await browser.PageAsync();
                foreach (var page in server.Plane.Pages.Where(page => page.Path != "/events"))
                {
                    foreach (var model in page.Path.Contains("{model}", StringComparison.Ordinal) ? new[] { Own, Other } : [Own])
                    {
                        var path = Concrete(page.Path, model);
                        using var answer = await (page.Method == "GET" ? browser.GetAsync(path) : browser.SendAsync(path, ("reason", "a test")));
                        var isAllowed = page.Permission == Permission.SignedIn
                            || May[role].Contains(page.Permission) && (page.AnyModel || over == RoleGrant.AllModels || page.Path.Contains("{model}", StringComparison.Ordinal) && over == model);
                        if (answer.StatusCode == HttpStatusCode.InternalServerError)
                            wrong.Add($"{role} of {over}: {page.Method} {path} → a bug");
                        if (answer.StatusCode == HttpStatusCode.Forbidden == isAllowed)
                            wrong.Add($"{role} of {over}: {page.Method} {path} → {(int)answer.StatusCode}, expected {(isAllowed ? "allowed" : "403")}");
                        denied += isAllowed ? 0 : 1;
                    }
                }
            }
        }

        Assert.Empty(wrong);
        Assert.True(denied > 100, "the walk has met too few refusals to mean anything");
    }

    private static string Concrete(string path, string model) => string.Join('/', path.Split('/').Select(segment => segment switch
    {
        "{model}" => model,
        "{channel}" => "staging",
        "{number}" or "{index}" => "1",
        _ when segment.StartsWith('{') => "none",
        _ => segment,
    }));
}
