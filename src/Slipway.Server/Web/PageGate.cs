using System.Collections.Immutable;
using Microsoft.AspNetCore.Http;
using Slipway.Primitives.Faults;
using Slipway.Server.Access;
using Slipway.Server.Api;

namespace Slipway.Server.Web;

/// <summary>Lets in who is signed in and may see the page, or send the form; everybody else gets a page that says why not.</summary>
internal sealed class PageGate(Sessions sessions, PageAnswers answers, TimeProvider time)
{
    /// <summary>Header of what an open page asks by itself.</summary>
    private const string BySelf = "Slipway-Live";

    /// <remarks>The API does not take a session's cookie: there a token stands in the Authorization header. Nor do pages take that.</remarks>
    public ApiEndpoint Guard(PageRoute route) => new(route.Method, route.Path, Permission.Anyone, call => AnswerAsync(route, call)) { BodyLimit = PageForm.Largest };

    private async Task AnswerAsync(PageRoute route, ApiCall call)
    {
        if (await EnterAsync(call) is not { } page)
            return;
        try
        {
            if (!route.Allows(page.Caller, (string?)call.Http.Request.RouteValues.GetValueOrDefault("model")))
                throw ApiProblem.Forbidden("forbidden", $"{page.Caller.Name} may not {route.Permission.ToString().ToLowerInvariant()} here", "an administrator grants roles with `slipway access grant`");
            await (route.Page is { } own ? SendAsync(route, own, page) : route.Answer(page));
        }
        catch (ApiProblem e)
        {
            await answers.ShowProblemAsync(call.Http, e.Status, e.Faults, page.Context());
        }
        catch (SlipwayException e) when (!call.Http.Response.HasStarted)
        {
            await answers.ShowProblemAsync(call.Http, StatusOf(e), e.Faults, page.Context());
        }
    }

    /// <returns>Null where nobody is signed in: then the sign-in page is answered.</returns>
    private async Task<PageCall?> EnterAsync(ApiCall call)
    {
        var request = call.Http.Request;
        var path = request.Path + request.QueryString;
        var to = HttpMethods.IsGet(request.Method) ? path : "/";
        if (SessionCookie.Of(request) is not { } secret)
        {
            await answers.ShowSignInAsync(call.Http, to);
            return null;
        }

        try
        {
            return new PageCall(call, await sessions.ResumeAsync(secret, !request.Headers.ContainsKey(BySelf), call.Cancellation), secret, time.GetUtcNow().ToUnixTimeMilliseconds()) { Path = path };
        }
        catch (ApiProblem e)
        {
            if (e.Status == StatusCodes.Status401Unauthorized)
                SessionCookie.Take(call.Http);
            await answers.ShowSignInAsync(call.Http, to, e);
            return null;
        }
    }

    /// <summary>Carries out a form. Where that fails, its page comes back with the reason, and with what was typed.</summary>
    private static async Task SendAsync(PageRoute route, PageRoute own, PageCall page)
    {
        SessionCookie.RequireOwnPage(page.Call.Http.Request);
        var form = await PageForm.ReadAsync(page.Call);
        if (!page.Session.Signed(form.GetValueOrDefault("form")))
            throw ApiProblem.Forbidden("other-session", "this form is not of your session", "load the page again, and send the form that is there then");
        page = page with { Form = form, Path = PathOf(own, page) };
        try
        {
            await route.Answer(page);
        }
        catch (ApiProblem e)
        {
            await own.Answer(page with { Faults = [.. e.Faults], Status = e.Status });
        }
        catch (SlipwayException e) when (!page.Call.Http.Response.HasStarted)
        {
            await own.Answer(page with { Faults = [.. e.Faults], Status = StatusOf(e) });
        }
    }

    private static int StatusOf(SlipwayException e) => e.Exit switch
    {
        ExitCode.UnusableInput => StatusCodes.Status400BadRequest,
        ExitCode.BadVerdict => StatusCodes.Status422UnprocessableEntity,
        ExitCode.NotThere => StatusCodes.Status503ServiceUnavailable,
        _ => StatusCodes.Status500InternalServerError,
    };

    /// <summary>A page's path, with what the form's path names.</summary>
    private static string PathOf(PageRoute route, PageCall page) => string.Join(
        '/', route.Path.Split('/').Select(segment => segment is ['{', .. var name, '}'] ? Uri.EscapeDataString(page.Segment(name)) : segment));
}
