using System.Net;
using Slipway.Documents.Access;
using Slipway.Tests.Server.Storage;

namespace Slipway.Tests.Server.Access;

public sealed class SignInTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static TheoryData<DatabaseKind> Kinds => TestDatabase.Kinds;

    [Theory, MemberData(nameof(Kinds))]
    public async Task The_first_start_gives_an_administrators_token_and_the_second_none(DatabaseKind kind)
    {
        await using var server = await TestServer.StartAsync(kind);
        var admin = await WhoAsync(server.Admin);
        Assert.Equal(("admin", PrincipalKind.Person), (admin.Name, admin.Kind));
        Assert.Contains(new RoleGrant(Role.Admin, "*"), admin.Roles);
        await server.RestartAsync();
        Assert.Null(server.Plane.FirstAdminToken);
        Assert.Equal(admin.Id, (await WhoAsync(server.Admin)).Id);
    }

    [Fact]
    public async Task A_made_up_token_and_none_at_all_are_refused()
    {
        await using var server = await TestServer.StartAsync();
        foreach (var client in new[] { server.Anonymous, server.As("slw_" + new string('a', 64)), server.As("slw_short"), server.As("x") })
        {
            using var response = await client.GetAsync("/api/v1/whoami", Cancellation);
            Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        }
    }

    private static Task<Identity> WhoAsync(HttpClient client) => TestServer.GetAsync(client, "/api/v1/whoami", AccessJson.Default.Identity);
}
